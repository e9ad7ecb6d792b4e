// Signals by name and by number.
import { constants } from 'node:os';
import { inspect } from 'node:util';
import { native } from '../native.js';
import * as validate from './validate.js';

/** A signal by name: those of `os.constants.signals` and the real-time ones, as kill(1) writes them. */
export type SignalName =
  | NodeJS.Signals
  | 'SIGRTMIN'
  | 'SIGRTMAX'
  | `SIGRTMIN+${number}`
  | `SIGRTMAX-${number}`
  | 'SIG32'
  | 'SIG33';

const { sigrtmin, sigrtmax } = native;

// The first name of a number is the one signalName() gives: SIGABRT, not its alias SIGIOT.
const numbers = new Map<string, number>(Object.entries(constants.signals));
numbers.set('SIGRTMIN', sigrtmin).set('SIGRTMAX', sigrtmax);
for (let n = sigrtmin; n <= sigrtmax; n++) {
  numbers.set(`SIGRTMIN+${n - sigrtmin}`, n).set(`SIGRTMAX-${sigrtmax - n}`, n);
}
// What the C library keeps for its threads has no name, but a wait status can show it.
for (let n = 32; n < sigrtmin; n++) numbers.set(`SIG${n}`, n);

const names = new Map<number, string>();
for (const [name, number] of numbers) if (!names.has(number)) names.set(number, name);

function unknownSignal(name: string, value: string): TypeError {
  const upper = value.trim().toUpperCase();
  const meant = [upper, `SIG${upper}`].find((candidate) => numbers.has(candidate));
  const hint = meant
    ? `Did you mean '${meant}'?`
    : `It must be a name such as 'SIGTERM', 'SIGRTMIN+1', 'SIGRTMAX-1', or a number from 1 to ${sigrtmax}`;
  const error = new TypeError(`Unknown signal: ${inspect(value)} as "${name}". ${hint}`);
  return Object.assign(error, { code: 'ERR_UNKNOWN_SIGNAL' });
}

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
    if (number === undefined) throw unknownSignal(name, value);
    return number;
  }
  if (typeof value !== 'number') throw validate.invalidType(name, 'a signal name or number', value);
  validate.integer(name, value, allowZero ? 0 : 1, sigrtmax);
  return value;
}

/**
 * The name of a signal's number. Where a number has two, the one `process.on` uses; SIG32 and SIG33 for those that the C
 * library keeps to itself: a process can die of them all the same.
 */
export function signalName(number: number): SignalName {
  return (names.get(number) ?? `SIG${number}`) as SignalName;
}
