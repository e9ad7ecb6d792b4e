// Turns the options of daemonize() into what is to be done: checked, defaults filled in, every name resolved.
import { type Account, native } from '../native.js';
import { type Credentials, resolveCredentials } from '../posix/credentials.js';
import type { Limit } from '../posix/limits.js';
import type { Resource } from '../posix/resources.js';
import * as validate from '../posix/validate.js';
import {
  type Environment,
  environmentOf,
  knownOnly,
  limits,
  type Output,
  oneOf,
  output,
  path,
} from './option-values.js';
import { DAEMONIZE_OPTIONS, type DaemonizeOptions } from './options.js';
import { checkMode } from './pid-file.js';

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
  env: Environment | undefined;
  keepFds: readonly number[] | undefined;
  rlimits: [Resource, Limit][];
  nice: number | undefined;
  oomScoreAdj: number | undefined;
  manual: boolean;
  readyTimeoutMs: number;
  mode: 'auto' | 'fork' | 'exec';
}

const OF_CREDENTIALS = { uid: 'options.user', gid: 'options.group', groups: 'options.groups' };
const MAX_TIMEOUT_MS = 0x7fffffff;

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

function defaultName(): string {
  return process.argv[1]?.replace(/.*\//, '') || 'daemonize';
}

function optional<T>(value: T | undefined, check: (value: T) => unknown): T | undefined {
  if (value !== undefined) check(value);
  return value;
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
