// The errors that the command makes itself. What the user got wrong is a TypeError: it ends with exit code 2.
import { nearestOf } from '../daemon/nearest.js';

export function coded(code: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code }, more);
}

export function usage(code: string, message: string, more: object = {}): TypeError {
  return Object.assign(new TypeError(message), { code }, more);
}

/** For a word that isn't one of those there are: names the nearest. */
export function unknown(code: string, what: string, word: string, known: Iterable<string>): TypeError {
  const near = nearestOf(word, known);
  const hint = near === undefined ? '' : `. Did you mean '${near}'?`;
  return usage(code, `unknown ${what} '${word}'${hint}`, near === undefined ? {} : { suggestion: near });
}

export function invalidValue(origin: string, expected: string, value: unknown): TypeError {
  return usage('ERR_INVALID_ARG_VALUE', `${origin} must be ${expected}. Received ${JSON.stringify(value)}`);
}

/** What the user got wrong, as against what went wrong. */
export function isUsage(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError;
}
