// Turns the options of a Watchdog into what is to be done: checked, defaults filled in, every name resolved.
import { isIP } from 'node:net';
import { basename, isAbsolute, join } from 'node:path';
import { loginVariables } from '../../daemon/environment.js';
import { environmentOf, knownOnly, limits, type Output, oneOf, output, path } from '../../daemon/option-values.js';
import type { LogOptions } from '../../daemon/options.js';
import { native } from '../../native.js';
import { type Credentials, resolveCredentials } from '../../posix/credentials.js';
import { lookPath } from '../../posix/exec.js';
import type { Limit } from '../../posix/limits.js';
import type { Resource } from '../../posix/resources.js';
import { signalName, signalNumber } from '../../posix/signal-number.js';
import * as validate from '../../posix/validate.js';
import { usableCgroup } from '../cgroup.js';
import { type ReadinessPlan, readinessPlan } from '../readiness.js';
import { type RestartPolicy, restartPolicy } from '../restart-policy.js';
import { COMMAND_OPTIONS, type CommandOptions } from './options.js';
import type { Supervision } from './supervision.js';

export interface CommandPlan {
  /** The program as it was named. */
  command: string;
  /** An absolute path, whether there is something or not. */
  file: string;
  argv: readonly string[];
  title: string;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  credentials: Credentials;
  chroot: string | undefined;
  umask: number | undefined;
  nice: number | undefined;
  rlimits: [Resource, Limit][];
  stdin: string | undefined;
  outputs: [stdout: Output, stderr: Output];
  logFileMode: number;
  stopSignal: number;
  supervision: Supervision;
  readiness: ReadinessPlan;
  readyTimeoutMs: number;
  terminates: boolean;
  signals: boolean;
  /** The folder that the workers' cgroups are made in. */
  cgroup: string | undefined;
  /** For the supervisor itself. */
  restart: RestartPolicy;
}

const MAX_MS = 0x7fffffff;
export const MAX_WORKERS = 10_000;
// The supervisor remembers the moment of each.
const MAX_RESTARTS = 100_000;
// What the C library searches where there is no PATH.
const DEFAULT_PATH = '/bin:/usr/bin';

function commandLine({ command, args = [] }: CommandOptions): [file: string, ...args: string[]] {
  if (typeof command !== 'string' && !Array.isArray(command)) {
    throw validate.invalidType('options.command', 'a string or an array of strings', command);
  }
  const words: readonly unknown[] = typeof command === 'string' ? [command] : command;
  const [file, ...own] = words;
  validate.path(typeof command === 'string' ? 'options.command' : 'options.command[0]', file);
  own.forEach((word, i) => {
    validate.text(`options.command[${i + 1}]`, word);
  });
  validate.list('options.args', args, validate.text);
  return [file, ...(own as string[]), ...args];
}

/**
 * The path of the program. One that isn't there yet, or can't be executed, is no mistake in the call: its starts fail, and
 * are told and repeated as the restart policy has it.
 *
 * @throws ERR_RELATIVE_PATH
 */
function programPath(file: string, { PATH }: CommandPlan['env'], chroot: string | undefined): string {
  if (chroot !== undefined) {
    if (isAbsolute(file)) return file;
    throw validate.invalidValue('options.command', 'an absolute path, in the new root, when chroot is given', file);
  }
  if (file.includes('/')) return path('options.command', file);
  const directories = PATH ?? DEFAULT_PATH;
  try {
    return lookPath(file, directories);
  } catch (error) {
    const { code, path: found } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES') throw error;
    if (found !== undefined && isAbsolute(found)) return found;
    // Where it would be, were it there.
    const last = directories.split(':').findLast(isAbsolute) ?? '/usr/bin';
    return join(last, file);
  }
}

function supervisionOf(options: CommandOptions, restart: RestartPolicy): Supervision {
  const { workers, successExitCodes = [0], stopTimeoutMs = 10_000, heartbeat, maxRssBytes, killTree = true } = options;
  if (workers !== undefined) validate.integer('options.workers', workers, 1, MAX_WORKERS);
  validate.integer('options.stopTimeoutMs', stopTimeoutMs, 0, MAX_MS);
  if (heartbeat !== undefined) {
    validate.options('options.heartbeat', heartbeat, ['timeoutMs']);
    validate.integer('options.heartbeat.timeoutMs', heartbeat.timeoutMs, 2, MAX_MS);
  }
  if (maxRssBytes !== undefined) validate.integer('options.maxRssBytes', maxRssBytes, 1, Number.MAX_SAFE_INTEGER);
  validate.boolean('options.killTree', killTree);
  const { count, windowMs } = restart.maxRestarts;
  if (count !== Infinity) validate.integer('options.maxRestarts.count', count, 0, MAX_RESTARTS);
  return {
    restart: restart.restart,
    ...(workers === undefined ? {} : { workers }),
    success: successExitCodes.map((one) => (typeof one === 'string' ? signalName(signalNumber('', one)) : one)),
    backoff: restart.backoff,
    maxRestarts: { count: count === Infinity ? null : count, windowMs },
    stopTimeoutMs,
    ...(heartbeat === undefined ? {} : { heartbeatMs: heartbeat.timeoutMs }),
    ...(maxRssBytes === undefined ? {} : { maxRssBytes }),
    killTree,
  };
}

/** The supervisor looks no names up. */
function readinessOf(value: CommandOptions['readiness'] = 'immediate'): ReadinessPlan {
  const readiness = readinessPlan('options.readiness', value);
  if (typeof readiness !== 'object' || !('host' in readiness)) return readiness;
  const host = readiness.host === 'localhost' ? '127.0.0.1' : readiness.host;
  if (isIP(host) === 0) throw validate.invalidValue('options.readiness.host', 'an address', host);
  return { ...readiness, host };
}

function outputsOf({ stdout = 'inherit', stderr = 'inherit' }: CommandOptions): CommandPlan['outputs'] {
  const outputs: CommandPlan['outputs'] = [output('options.stdout', stdout), output('options.stderr', stderr)];
  const [first, second] = outputs.map((one) => (one.kind === 'log' ? keeping(one.log) : undefined));
  if (first !== undefined && second !== undefined && first !== second) {
    throw validate.invalidValue('options.stderr', 'a log that is kept as that of stdout is', stderr);
  }
  return outputs;
}

function keeping({ maxBytes, backups, timestamps }: Required<LogOptions>): string {
  return `${maxBytes} ${backups} ${timestamps}`;
}

function environment({ env, user }: CommandOptions, { uid }: Credentials): CommandPlan['env'] {
  const account = env === undefined && user !== undefined && uid !== undefined ? native.findUser(uid) : undefined;
  return environmentOf(env) ?? { ...process.env, ...(account ? loginVariables(account) : {}) };
}

/** Checks the options and completes them. Nothing is started or changed. */
export function commandPlan(options: CommandOptions): CommandPlan {
  knownOnly('options', options, COMMAND_OPTIONS);
  const { umask, nice, stdin = 'null', signals = true, onParentDeath = 'kill', onExit } = options;
  const { stopSignal = 'SIGTERM', readyTimeoutMs = 60_000, logFileMode = 0o640, rlimits = {} } = options;
  const [file, ...args] = commandLine(options);
  const { title = basename(file), user, group, groups } = options;
  validate.text('options.title', title);
  if (umask !== undefined) validate.integer('options.umask', umask, 0, 0o777);
  if (nice !== undefined) validate.integer('options.nice', nice, -20, 19);
  validate.integer('options.logFileMode', logFileMode, 0, 0o777);
  validate.integer('options.readyTimeoutMs', readyTimeoutMs, 1, MAX_MS);
  validate.boolean('options.signals', signals);
  if (onExit !== undefined) validate.callback('options.onExit', onExit);
  const restart = restartPolicy(options);
  const chroot = options.chroot === undefined ? undefined : path('options.chroot', options.chroot);
  const names = { uid: 'options.user', gid: 'options.group', groups: 'options.groups' };
  const credentials = resolveCredentials(names, { uid: user, gid: group, groups });
  const env = environment(options, credentials);
  return {
    command: file,
    file: programPath(file, env, chroot),
    argv: [file, ...args],
    title,
    cwd: path('options.cwd', options.cwd ?? (chroot === undefined ? process.cwd() : '/')),
    env,
    credentials,
    chroot,
    umask,
    nice,
    rlimits: limits(rlimits),
    stdin: stdin === 'null' ? undefined : path('options.stdin', stdin),
    outputs: outputsOf(options),
    logFileMode,
    stopSignal: signalNumber('options.stopSignal', stopSignal),
    supervision: supervisionOf(options, restart),
    readiness: readinessOf(options.readiness),
    readyTimeoutMs,
    terminates: oneOf('options.onParentDeath', onParentDeath, ['kill', 'terminate']) === 'terminate',
    signals,
    cgroup: options.killTree === false ? undefined : usableCgroup(),
    restart,
  };
}
