// Signals by name and by number.
import { constants } from 'node:os';
import * as validate from './validate.js';

/** A signal by name: those of `os.constants.signals`, and the real-time ones counted from SIGRTMIN. */
export type SignalName = NodeJS.Signals | `SIGRTMIN+${number}`;

const SIGRTMIN = 34;
const SIGRTMAX = 64;

const numbers = new Map<string, number>(Object.entries(constants.signals));
for (let n = SIGRTMIN; n <= SIGRTMAX; n++) numbers.set(`SIGRTMIN+${n - SIGRTMIN}`, n);

/**
 * The number of a signal given by name or number.
 *
 * @param name the argument's name, for the error
 * @param options.allowZero whether the number 0 is one, as for kill(2); false by default
 * @throws ERR_UNKNOWN_SIGNAL for a name that is none; ERR_OUT_OF_RANGE for a number that is none;
 * ERR_INVALID_ARG_TYPE for anything else
 */
export function signalNumber(name: string, value: unknown, { allowZero = false } = {}): number {
  if (typeof value === 'string') {
    const number = numbers.get(value);
    if (number !== undefined) return number;
    throw Object.assign(new TypeError(`Unknown signal: '${value}' as "${name}"`), { code: 'ERR_UNKNOWN_SIGNAL' });
  }
  if (typeof value !== 'number') throw validate.invalidType(name, 'a signal name or number', value);
  validate.integer(name, value, allowZero ? 0 : 1, SIGRTMAX);
  return value;
}
