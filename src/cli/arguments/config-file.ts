// posix-daemon.json in the working directory, or the key `posix-daemon` of its package.json.
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { invalidValue, unknown, usage } from '../errors.js';
import { warn } from '../output/terminal.js';
import { CONFIG_KEYS, OPTIONS, type Option, type OptionName } from './options.js';
import type { Given } from './parse.js';

const KEY = 'posix-daemon';

export interface Config {
  readonly options: ReadonlyMap<OptionName, readonly Given[]>;
  /** The program and its arguments, if the file names one. */
  readonly command?: readonly string[];
  /** The same for one daemon, by its name; what it says comes first. */
  readonly daemons: ReadonlyMap<string, Config>;
}

const NONE: Config = { options: new Map(), daemons: new Map() };
const OTHERS_CAN_WRITE = 0o002;

/**
 * @param path as --config names it; undefined looks in the working directory
 * @throws ERR_CONFIG_INVALID, ERR_UNKNOWN_KEY with `path`; ERR_INVALID_ARG_VALUE for a value of the wrong kind; a system
 * error if the file that was named can't be read
 */
export function loadConfig(path: string | undefined): Config {
  if (path !== undefined) return parse(path, readFileSync(path, 'utf8'));
  const own = readTrusted('posix-daemon.json');
  if (own !== undefined) return parse('posix-daemon.json', own);
  const manifest = readTrusted('package.json', KEY);
  return manifest === undefined ? NONE : parse('package.json', manifest, KEY);
}

/**
 * A file that happens to lie in the working directory decides what is run and as whom: it has to be the user's or root's,
 * or /tmp would be a trap. To use another one, name it by --config.
 */
function readTrusted(path: string, mention = ''): string | undefined {
  let fd: number;
  try {
    if (!trusted(lstatSync(path).uid)) return ignored(path, 'belongs to another user', mention);
    // Not to be kept waiting by a FIFO.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    const { uid, mode } = fstatSync(fd);
    if (!trusted(uid)) return ignored(path, 'belongs to another user', mention);
    if (mode & OTHERS_CAN_WRITE) return ignored(path, 'can be written by everybody', mention);
    const text = readFileSync(fd, 'utf8');
    // Most manifests don't concern us, whatever else is wrong with them.
    return text.includes(mention && `"${mention}"`) ? text : undefined;
  } finally {
    closeSync(fd);
  }
}

function trusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

function ignored(path: string, why: string, mention: string): undefined {
  // Every project has a manifest; that one is somebody else's is no news.
  if (mention === '') warn(`${path} is ignored, because it ${why}; --config ${path} uses it all the same`);
  return undefined;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

function parse(path: string, text: string, key?: string): Config {
  let content: Json;
  try {
    content = JSON.parse(text) as Json;
  } catch (error) {
    throw usage('ERR_CONFIG_INVALID', `${path} is no JSON: ${(error as Error).message}`, { path });
  }
  if (!isObject(content)) throw usage('ERR_CONFIG_INVALID', `${path} must hold an object`, { path });
  if (key === undefined) return section(path, '', content);
  return key in content ? section(path, `${key}.`, objectAt(path, key, content[key])) : NONE;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectAt(path: string, key: string, value: Json | undefined): { [key: string]: Json } {
  if (!isObject(value)) throw invalidValue(`${key} in ${path}`, 'an object', value);
  return value;
}

function section(path: string, prefix: string, content: { [key: string]: Json }, nested = false): Config {
  const options = new Map<OptionName, Given[]>();
  const daemons = new Map<string, Config>();
  let command: string[] | undefined;
  for (const [key, value] of Object.entries(content)) {
    const origin = `${prefix}${key} in ${path}`;
    const name = CONFIG_KEYS.get(key);
    if (name !== undefined) {
      const option = OPTIONS.get(name) as Option;
      options.set(
        name,
        texts(option, origin, value).map((text) => ({ origin, value: text, base: dirname(path) })),
      );
    } else if (key === 'command') {
      command = commandLine(origin, value);
    } else if (key === 'daemons' && !nested) {
      for (const [daemon, own] of Object.entries(objectAt(path, key, value))) {
        const at = `${prefix}${key}.${daemon}`;
        daemons.set(daemon, section(path, `${at}.`, objectAt(path, at, own), true));
      }
    } else {
      const known = [...CONFIG_KEYS.keys(), 'command', ...(nested ? [] : ['daemons'])];
      throw unknown(
        'ERR_UNKNOWN_KEY',
        `key in ${path}:`,
        `${prefix}${key}`,
        known.map((k) => prefix + k),
      );
    }
  }
  return { options, daemons, ...(command ? { command } : {}) };
}

function commandLine(origin: string, value: Json): string[] {
  const words = Array.isArray(value) ? (value as readonly Json[]) : [];
  if (words.length > 0 && words.every((word) => typeof word === 'string')) return words as string[];
  throw invalidValue(origin, 'an array of strings, the program and its arguments', value);
}

/** A value as it would have been written on the command line. */
function texts(option: Option, origin: string, value: Json): string[] {
  if (option.value === undefined) {
    if (typeof value === 'boolean') return [String(value)];
    throw invalidValue(origin, 'true or false', value);
  }
  if (option.map) {
    if (isObject(value) && Object.values(value).every(isScalar)) {
      return Object.entries(value).map(([key, one]) => `${key}=${one}`);
    }
    throw invalidValue(origin, 'an object of strings and numbers', value);
  }
  if (isScalar(value)) return [String(value)];
  if (option.list && Array.isArray(value) && value.every(isScalar)) return [value.join(',')];
  throw invalidValue(origin, 'a string or a number', value);
}

function isScalar(value: Json): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
