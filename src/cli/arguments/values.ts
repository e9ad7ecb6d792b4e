// What the values of options mean. Each error says where the value comes from and what is allowed there.
import { isAbsolute, join, resolve } from 'node:path';
import { getSystemErrorMap } from 'node:util';
import { RESOURCES, type Resource } from '../../posix/resources.js';
import { signalName, signalNumber } from '../../posix/signal-number.js';
import { coded, invalidValue, unknown } from '../errors.js';
import type { Given } from './parse.js';

const MAX_NAME = 64;
export const MAX_MS = 0x7fffffff;
const MAX_ID = 0xfffffffe;

/** What a name may be: it becomes part of file names, and of what ps and shells show. */
const NAME = /^[A-Za-z0-9_@-][A-Za-z0-9._@-]*$/;

export function isName(text: string): boolean {
  return NAME.test(text) && text.length <= MAX_NAME;
}

export function name({ origin, value }: Given): string {
  if (isName(value)) return value;
  const allowed = `1 to ${MAX_NAME} letters, digits, '.', '_', '@' and '-', the first not '.'`;
  throw invalidValue(origin, `a name of ${allowed}`, value);
}

export function text({ origin, value }: Given): string {
  if (value.includes('\0')) throw invalidValue(origin, 'without null bytes', value);
  return value;
}

/** The directory that the command was called in. */
export function here(): string {
  try {
    return process.cwd();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw error;
    const [errno] = [...getSystemErrorMap()].find(([, [name]]) => name === code) as [number, unknown];
    const message = 'ENOENT: the working directory has been deleted, getcwd';
    throw coded('ENOENT', message, { errno, syscall: 'getcwd' });
  }
}

/** An absolute path; a relative one starts where the command was called, or at the config file. */
export function path({ origin, value, base = '' }: Given): string {
  if (value === '' || value.includes('\0')) throw invalidValue(origin, 'a path', value);
  if (isAbsolute(value)) return resolve(value);
  return join(isAbsolute(base) ? base : join(here(), base), value);
}

export function integer({ origin, value }: Given, min: number, max: number, unit = ''): number {
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw invalidValue(origin, `an integer${unit} from ${min} to ${max}`, value);
}

export function milliseconds(given: Given): number {
  return integer(given, 0, MAX_MS, ' of milliseconds');
}

export function nice(given: Given): number {
  return integer(given, -20, 19);
}

export function count(given: Given): number {
  return integer(given, 0, 100_000);
}

export function umask({ origin, value }: Given): number {
  if (/^(0o?)?[0-7]{1,3}$/.test(value)) return Number.parseInt(value.replace('o', ''), 8);
  throw invalidValue(origin, 'an octal number from 000 to 777', value);
}

const UNITS = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 } as const;

export function size({ origin, value }: Given): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(value) ?? [];
  const bytes = Math.floor(Number(number) * UNITS[(unit ?? '').toUpperCase() as keyof typeof UNITS]);
  if (number !== undefined && Number.isSafeInteger(bytes)) return bytes;
  throw invalidValue(origin, 'a size such as 1048576, 512K, 10M or 1.5G', value);
}

/** A signal, with or without SIG, or its number. */
export function signal({ origin, value }: Given): string {
  try {
    if (/^\d+$/.test(value)) return signalName(signalNumber(origin, Number(value)));
    const upper = value.toUpperCase();
    return signalName(signalNumber(origin, upper.startsWith('SIG') ? upper : `SIG${upper}`));
  } catch {
    throw invalidValue(origin, "a signal such as 'SIGTERM', 'TERM' or 15", value);
  }
}

/** A user or a group: numbers are ids. */
export function account({ origin, value }: Given): string | number {
  if (/^\d+$/.test(value)) {
    if (Number(value) <= MAX_ID) return Number(value);
  } else if (value !== '' && !value.includes('\0')) {
    return value;
  }
  throw invalidValue(origin, 'a name or an id', value);
}

export function accounts({ origin, value }: Given): (string | number)[] {
  return value === '' ? [] : value.split(',').map((one) => account({ origin, value: one.trim() }));
}

function pair({ origin, value }: Given, shape: string): [string, string] {
  const equals = value.indexOf('=');
  if (equals < 1 || value.includes('\0')) throw invalidValue(origin, `of the form ${shape}`, value);
  return [value.slice(0, equals), value.slice(equals + 1)];
}

export function variables(given: readonly Given[]): Record<string, string> {
  return Object.fromEntries(
    given.map((one) => {
      const entry = pair(one, 'KEY=VALUE');
      if (!entry[0].startsWith('POSIX_DAEMON_')) return entry;
      throw invalidValue(
        one.origin,
        'a variable that does not begin with POSIX_DAEMON_: none of those reaches the program',
        one.value,
      );
    }),
  );
}

/** As the keeper takes it: null is no limit. */
export interface ResourceLimit {
  soft: number | null;
  hard: number | null;
}

function amount({ origin, value }: Given, shown: string): number | null {
  if (/^(unlimited|infinity)$/i.test(value)) return null;
  if (/^\d+$/.test(value) && Number.isSafeInteger(Number(value))) return Number(value);
  throw invalidValue(origin, 'NAME=N or NAME=SOFT:HARD, with numbers or unlimited', shown);
}

export function limits(given: readonly Given[]): Partial<Record<Resource, ResourceLimit>> {
  return Object.fromEntries(
    given.map((one) => {
      const [resource, limit] = pair(one, 'NAME=N or NAME=SOFT:HARD');
      if (!Object.hasOwn(RESOURCES, resource)) {
        throw unknown('ERR_INVALID_ARG_VALUE', `resource in ${one.origin}:`, resource, Object.keys(RESOURCES));
      }
      const [soft = '', hard = soft] = limit.split(':');
      const { origin } = one;
      return [
        resource,
        { soft: amount({ origin, value: soft }, one.value), hard: amount({ origin, value: hard }, one.value) },
      ];
    }),
  );
}
