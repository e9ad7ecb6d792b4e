/** CLOCK_MONOTONIC, in nanoseconds: one clock for all processes of the machine. */
export function now(): bigint {
  return process.hrtime.bigint();
}

export function milliseconds(from: bigint, to: bigint): number {
  return Number(to - from) / 1e6;
}
