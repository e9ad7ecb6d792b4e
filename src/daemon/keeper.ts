export function keeperPath(): string {
  throw new Error('not built yet');
}
