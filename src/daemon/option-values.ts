// What the values of options mean that a daemon and a watchdog's command have in common.
import { isAbsolute, resolve } from 'node:path';
import type { Limit } from '../posix/limits.js';
import { RESOURCES, type Resource } from '../posix/resources.js';
import * as validate from '../posix/validate.js';
import { nearestOf } from './nearest.js';
import { LOG_OPTIONS, type LogOptions } from './options.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const MAX_BACKUPS = 10_000;

/** One of the outputs, checked. */
export type Output =
  | { kind: 'null' | 'inherit' }
  | { kind: 'descriptor'; fd: number }
  | { kind: 'log'; log: Required<LogOptions> };

/** An option may be misspelt: the error names the one that was meant. */
export function knownOnly(name: string, value: unknown, known: readonly string[]): asserts value is object {
  validate.object(name, value);
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const nearest = nearestOf(key, known);
    const hint = nearest ? `; did you mean ${nearest}?` : '';
    throw validate.invalidValue(name, `made of ${known.join(', ')}${hint}`, key);
  }
}

export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (typeof value !== 'string') throw validate.invalidType(name, 'a string', value);
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw validate.invalidValue(name, `one of ${allowed.join(', ')}`, value);
  return found;
}

/** An absolute path. */
export function path(name: string, value: unknown): string {
  validate.path(name, value);
  // A working directory that is deleted is no hindrance to what doesn't need one.
  return isAbsolute(value) ? resolve('/', value) : resolve(value);
}

export function output(name: string, value: unknown): Output {
  if (value === 'null' || value === 'inherit') return { kind: value };
  if (typeof value === 'number') {
    validate.descriptor(name, value);
    return { kind: 'descriptor', fd: value };
  }
  if (typeof value === 'string') {
    return { kind: 'log', log: { path: path(name, value), maxBytes: 0, backups: 0, timestamps: false } };
  }
  if (typeof value !== 'object' || value === null) {
    throw validate.invalidType(name, "a path, an object, 'null', 'inherit' or a descriptor", value);
  }
  knownOnly(name, value, LOG_OPTIONS);
  const { maxBytes = 0, backups = 10, timestamps = false } = value as LogOptions;
  validate.integer(`${name}.maxBytes`, maxBytes, 0, Number.MAX_SAFE_INTEGER);
  validate.integer(`${name}.backups`, backups, 0, MAX_BACKUPS);
  validate.boolean(`${name}.timestamps`, timestamps);
  const log = { path: path(`${name}.path`, (value as LogOptions).path), maxBytes, backups, timestamps };
  return { kind: 'log', log };
}

function amount(name: string, value: unknown): asserts value is number {
  if (value !== Infinity) validate.integer(name, value, 0, Number.MAX_SAFE_INTEGER);
}

export function limits(value: unknown): [Resource, Limit][] {
  knownOnly('options.rlimits', value, Object.keys(RESOURCES));
  return Object.entries(value).map(([resource, limit]) => {
    const name = `options.rlimits.${resource}`;
    const { soft, hard } = typeof limit === 'object' && limit !== null ? limit : { soft: limit, hard: limit };
    amount(`${name}.soft`, soft);
    amount(`${name}.hard`, hard);
    return [resource as Resource, { soft, hard }];
  });
}

export function environmentOf(env: Environment | undefined): Environment | undefined {
  if (env === undefined) return undefined;
  validate.object('options.env', env);
  for (const [key, value] of Object.entries(env)) {
    if (value !== undefined) validate.text(`options.env.${key}`, value);
    if (key === '' || key.includes('=') || key.includes('\0')) {
      throw validate.invalidValue('options.env', 'made of names without "="', key);
    }
  }
  return { ...env };
}
