import { type Ended, endingOf } from '../options.js';

/** A status as waitpid(2) gives it. */
export function decodeStatus(status: number): Ended {
  const signal = status & 0x7f;
  return endingOf(signal === 0 ? { exitCode: (status >> 8) & 0xff, signal: null } : { exitCode: null, signal });
}
