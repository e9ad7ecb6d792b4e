export function keeperPath(): string {
  return process.env.KEEPER_STUB ?? '/tmp/wt/keeper/build/Release/posix-daemon-keeper';
}
