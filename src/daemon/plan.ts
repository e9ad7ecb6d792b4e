// Turns the options of daemonize() into what is to be done: checked, defaults filled in, every name resolved.
import { isAbsolute, resolve } from 'node:path';
import { type Account, native } from '../native.js';
import { type Credentials, resolveCredentials } from '../posix/credentials.js';
import type { Limit } from '../posix/limits.js';
import { RESOURCES, type Resource } from '../posix/resources.js';
import * as validate from '../posix/validate.js';
import { nearestOf } from './nearest.js';
import { DAEMONIZE_OPTIONS, type DaemonizeOptions, LOG_OPTIONS, type LogOptions } from './options.js';
import { checkMode } from './pid-file.js';

/** One of the outputs, checked. */
export type Output =
  | { kind: 'null' | 'inherit' }
  | { kind: 'descriptor'; fd: number }
  | { kind: 'log'; log: Required<LogOptions> };

export type Input = { kind: 'null' | 'inherit' } | { kind: 'descriptor'; fd: number } | { kind: 'file'; path: string };

/** What a daemon is to be: every default filled in, every path absolute, every name resolved. */
export interface DaemonPlan {
  name: string;
  cwd: string;
  umask: number;
  chroot: string | undefined;
  credentials: Credentials;
  account: Account | undefined;
  title: string | undefined;
  pidFile: string | undefined;
  pidFileMode: number;
  stdin: Input;
  outputs: [stdout: Output, stderr: Output];
  logFileMode: number;
  env: Readonly<Record<string, string | undefined>> | undefined;
  keepFds: readonly number[] | undefined;
  rlimits: [Resource, Limit][];
  nice: number | undefined;
  oomScoreAdj: number | undefined;
  manual: boolean;
  readyTimeoutMs: number;
  mode: 'auto' | 'fork' | 'exec';
}

const OF_CREDENTIALS = { uid: 'options.user', gid: 'options.group', groups: 'options.groups' };
const MAX_BACKUPS = 10_000;
const MAX_TIMEOUT_MS = 0x7fffffff;

/** An option may be misspelt: the error names the one that was meant. */
function knownOnly(name: string, value: unknown, known: readonly string[]): asserts value is object {
  validate.object(name, value);
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const nearest = nearestOf(key, known);
    const hint = nearest ? `; did you mean ${nearest}?` : '';
    throw validate.invalidValue(name, `made of ${known.join(', ')}${hint}`, key);
  }
}

function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (typeof value !== 'string') throw validate.invalidType(name, 'a string', value);
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw validate.invalidValue(name, `one of ${allowed.join(', ')}`, value);
  return found;
}

function path(name: string, value: unknown): string {
  validate.path(name, value);
  // A working directory that is deleted is no hindrance to what doesn't need one.
  return isAbsolute(value) ? resolve('/', value) : resolve(value);
}

function input(value: unknown): Input {
  const name = 'options.stdin';
  if (value === 'null' || value === 'inherit') return { kind: value };
  if (typeof value === 'number') {
    validate.descriptor(name, value);
    return { kind: 'descriptor', fd: value };
  }
  if (typeof value !== 'string') throw validate.invalidType(name, "a path, 'null', 'inherit' or a descriptor", value);
  return { kind: 'file', path: path(name, value) };
}

function output(name: string, value: unknown): Output {
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

function limits(value: unknown): [Resource, Limit][] {
  knownOnly('options.rlimits', value, Object.keys(RESOURCES));
  return Object.entries(value).map(([resource, limit]) => {
    const name = `options.rlimits.${resource}`;
    const { soft, hard } = typeof limit === 'object' && limit !== null ? limit : { soft: limit, hard: limit };
    amount(`${name}.soft`, soft);
    amount(`${name}.hard`, hard);
    return [resource as Resource, { soft, hard }];
  });
}

function defaultName(): string {
  return process.argv[1]?.replace(/.*\//, '') || 'daemonize';
}

function optional<T>(value: T | undefined, check: (value: T) => unknown): T | undefined {
  if (value !== undefined) check(value);
  return value;
}

function environmentOf(env: DaemonizeOptions['env']): DaemonPlan['env'] {
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

/** Checks the options of daemonize() and completes them. Nothing is changed, and nothing made. */
export function daemonPlan(options: DaemonizeOptions): DaemonPlan {
  knownOnly('options', options, DAEMONIZE_OPTIONS);
  const { name = defaultName(), cwd = '/', umask = 0, pidFileMode = 0o644, logFileMode = 0o640 } = options;
  const { stdin = 'null', stdout = 'null', stderr = 'null', rlimits = {}, user, group, groups } = options;
  const { ready = 'immediate', readyTimeoutMs = 30_000, mode = 'auto' } = options;
  validate.text('options.name', name);
  validate.integer('options.umask', umask, 0, 0o777);
  checkMode('options.pidFileMode', pidFileMode);
  validate.integer('options.logFileMode', logFileMode, 0, 0o777);
  validate.integer('options.readyTimeoutMs', readyTimeoutMs, 1, MAX_TIMEOUT_MS);
  if (options.keepFds !== undefined) validate.list('options.keepFds', options.keepFds, validate.descriptor);
  const credentials = resolveCredentials(OF_CREDENTIALS, { uid: user, gid: group, groups });
  return {
    name,
    cwd: path('options.cwd', cwd),
    umask,
    chroot: options.chroot === undefined ? undefined : path('options.chroot', options.chroot),
    credentials,
    account: credentials.uid === undefined ? undefined : native.findUser(credentials.uid),
    title: optional(options.title, (title) => validate.text('options.title', title)),
    pidFile: options.pidFile === undefined ? undefined : path('options.pidFile', options.pidFile),
    pidFileMode,
    stdin: input(stdin),
    outputs: [output('options.stdout', stdout), output('options.stderr', stderr)],
    logFileMode,
    env: environmentOf(options.env),
    keepFds: options.keepFds,
    rlimits: limits(rlimits),
    nice: optional(options.nice, (nice) => validate.integer('options.nice', nice, -20, 19)),
    oomScoreAdj: optional(options.oomScoreAdj, (score) => validate.integer('options.oomScoreAdj', score, -1000, 1000)),
    manual: oneOf('options.ready', ready, ['immediate', 'manual']) === 'manual',
    readyTimeoutMs,
    mode: oneOf('options.mode', mode, ['auto', 'fork', 'exec']),
  };
}

/** The numbers of systemd's socket activation, if they were meant for this process. @see sd_listen_fds(3) */
export function activationFds(env: NodeJS.ProcessEnv, pid: number): number[] {
  const count = Number(env.LISTEN_FDS);
  if (Number(env.LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1) return [];
  return Array.from({ length: count }, (_, i) => 3 + i);
}

/** The descriptors that are to become 0, 1 or 2. */
export function namedDescriptors({ stdin, outputs }: DaemonPlan): number[] {
  return [stdin, ...outputs].flatMap((one) => (one.kind === 'descriptor' ? [one.fd] : []));
}
