// When a worker counts as ready.
import * as validate from '../posix/validate.js';

/**
 * - 'immediate': when it runs
 * - 'manual': when it says so
 * - `port`: when a TCP connection can be made to that port, of `host`, 127.0.0.1 by default
 * - `upMs`: when it has stayed up for so many ms
 */
export type Readiness = 'immediate' | 'manual' | { port: number; host?: string } | { upMs: number };

/** Checked and complete. */
export type ReadinessPlan = 'immediate' | 'manual' | Required<Address> | { upMs: number };

export interface Address {
  port: number;
  host?: string;
}

const MAX_MS = 0x7fffffff;
const WORDS: readonly unknown[] = ['immediate', 'manual'];

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE */
export function readinessPlan(name: string, value: Readiness): ReadinessPlan {
  if (typeof value !== 'object' || value === null) {
    if (!WORDS.includes(value)) {
      throw validate.invalidValue(name, 'one of immediate, manual, { port, host }, { upMs }', value);
    }
    return value;
  }
  if ('upMs' in value) {
    validate.options(name, value, ['upMs']);
    validate.integer(`${name}.upMs`, value.upMs, 0, MAX_MS);
    return { upMs: value.upMs };
  }
  validate.options(name, value, ['port', 'host']);
  const { port, host = '127.0.0.1' } = value;
  validate.integer(`${name}.port`, port, 1, 65_535);
  validate.path(`${name}.host`, host);
  return { port, host };
}
