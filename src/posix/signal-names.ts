// Signals by name and by number. Node's own table ends at 31; the real-time signals follow, named as the shell does.
import { constants } from 'node:os';
import { invalidType, invalidValue, outOfRange } from './validate.js';

const FIRST_REALTIME = 34;
const LAST = 64;

const numbers = new Map<string, number>(Object.entries(constants.signals));
numbers.set('SIGRTMIN', FIRST_REALTIME);
for (let n = FIRST_REALTIME + 1; n <= LAST; n++) numbers.set(`SIGRTMIN+${n - FIRST_REALTIME}`, n);
numbers.set('SIGRTMAX', LAST);

const names = new Map<number, string>();
// The first of several names is the usual one: SIGABRT and not SIGIOT.
for (const [name, number] of numbers) if (!names.has(number)) names.set(number, name);

/** The name of a signal; 32 and 33, which the C library keeps to itself, are called SIG32 and SIG33. */
export function signalName(number: number): string {
  return names.get(number) ?? `SIG${number}`;
}

/** The number of a signal given by name or number; 0, which only asks whether one could send, is allowed. */
export function signalNumber(name: string, value: unknown): number {
  if (typeof value === 'string') {
    const number = numbers.get(value);
    if (number === undefined) throw invalidValue(name, "a signal's name such as 'SIGTERM'", value);
    return number;
  }
  if (typeof value !== 'number') throw invalidType(name, "a signal's name or number", value);
  if (!Number.isInteger(value) || value < 0 || value > LAST) {
    throw outOfRange(name, `an integer >= 0 and <= ${LAST}`, value);
  }
  return value;
}
