// Argument checks, with the codes that Node's own API uses. Each error names the argument, the value and what is allowed.
import { inspect } from 'node:util';

/** Thrown for an argument of the wrong type; `code` is ERR_INVALID_ARG_TYPE. */
export function invalidType(name: string, expected: string, value: unknown): TypeError {
  const error = new TypeError(`The "${name}" argument must be ${expected}. Received ${inspect(value, { depth: 0 })}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_TYPE' });
}

/** Thrown for a value outside of what is allowed; `code` is ERR_OUT_OF_RANGE. */
export function outOfRange(name: string, expected: string, value: unknown): RangeError {
  const error = new RangeError(
    `The value of "${name}" is out of range. It must be ${expected}. Received ${inspect(value, { depth: 0 })}`,
  );
  return Object.assign(error, { code: 'ERR_OUT_OF_RANGE' });
}

/** Thrown for a value of the right type that means nothing; `code` is ERR_INVALID_ARG_VALUE. */
export function invalidValue(name: string, expected: string, value: unknown): TypeError {
  const error = new TypeError(`The argument "${name}" must be ${expected}. Received ${inspect(value, { depth: 0 })}`);
  return Object.assign(error, { code: 'ERR_INVALID_ARG_VALUE' });
}

const INT32_MAX = 0x7fffffff;

export function integer(name: string, value: unknown, min: number, max: number): asserts value is number {
  if (typeof value !== 'number') throw invalidType(name, 'an integer', value);
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(name, `an integer >= ${min} and <= ${max}`, value);
  }
}

/** A process or group id as the calls take it: 0 means the caller. */
export function pid(name: string, value: unknown, min = 0): asserts value is number {
  integer(name, value, min, INT32_MAX);
}

export function descriptor(name: string, value: unknown): asserts value is number {
  integer(name, value, 0, INT32_MAX);
}

/** A path or another C string: no NUL byte can be in it. */
export function text(name: string, value: unknown): asserts value is string {
  if (typeof value !== 'string') throw invalidType(name, 'a string', value);
  if (value.includes('\0')) throw invalidValue(name, 'a string without null bytes', value);
}

/** A path that names something: the empty one never does. */
export function path(name: string, value: unknown): asserts value is string {
  text(name, value);
  if (value === '') throw invalidValue(name, 'a path', value);
}

export function boolean(name: string, value: unknown): asserts value is boolean {
  if (typeof value !== 'boolean') throw invalidType(name, 'a boolean', value);
}

export function object(name: string, value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalidType(name, 'an object', value);
}

export function callback(name: string, value: unknown): asserts value is (...args: never[]) => unknown {
  if (typeof value !== 'function') throw invalidType(name, 'a function', value);
}

/** A list of values, each checked by `check` under its own name. */
export function list<T>(
  name: string,
  value: unknown,
  check: (name: string, item: unknown) => asserts item is T,
): asserts value is readonly T[] {
  if (!Array.isArray(value)) throw invalidType(name, 'an array', value);
  value.forEach((item, i) => {
    const itemName: string = `${name}[${i}]`;
    check(itemName, item);
  });
}

/** An object with none but the known properties: a misspelt option must not pass for one left out. */
export function options(name: string, value: unknown, known: readonly string[]): asserts value is object {
  if (typeof value !== 'object' || value === null) throw invalidType(name, 'an object', value);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw invalidValue(name, `made of ${known.join(', ')}`, key);
  }
}
