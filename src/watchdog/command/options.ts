import type { OutputTarget } from '../../daemon/options.js';
import type { Limit } from '../../posix/limits.js';
import type { Resource } from '../../posix/resources.js';
import type { SignalName } from '../../posix/signal-number.js';
import type { Readiness } from '../readiness.js';
import type { RestartOptions } from '../restart-policy.js';
import type { CommandExit } from './watchdog-events.js';

/** Options of a Watchdog. Paths are relative to the working directory at the call. */
export interface CommandOptions extends RestartOptions {
  /**
   * The program, or the program and its arguments: no shell takes it apart. What has no slash is searched in the PATH of
   * `env`. In a `chroot` it is an absolute path of there.
   */
  command: string | readonly [file: string, ...args: string[]];
  /** Arguments after those of `command`. @default [] */
  args?: readonly string[];
  /** The working directory, entered as the new user and in the new root. @default the present one; '/' with `chroot` */
  cwd?: string;
  /** The whole environment. @default the present one; with `user` that user's HOME, USER, LOGNAME and SHELL in it */
  env?: Readonly<Record<string, string | undefined>>;
  /** The user, by name or id: real, effective and saved. Any other than one's own needs CAP_SETUID. */
  user?: string | number;
  /** The group. @default the user's primary one */
  group?: string | number;
  /** The supplementary groups, all of them. @default the user's, as initgroups(3) has it */
  groups?: readonly (string | number)[];
  /** The root directory; needs CAP_SYS_CHROOT. */
  chroot?: string;
  /** The file mode creation mask. @default the present one */
  umask?: number;
  /** The nice value, -20 to 19. @default as it is */
  nice?: number;
  /** Resource limits, soft and hard; a number is both. */
  rlimits?: Readonly<Partial<Record<Resource, number | Limit>>>;
  /** A file to read, or `'null'`. @default 'null' */
  stdin?: 'null' | (string & {});
  /** Logs are written by the supervisor, and are there again after each restart. @default 'inherit' */
  stdout?: OutputTarget;
  /** Where this names the same file as `stdout`, both share it, and how it is kept. @default 'inherit' */
  stderr?: OutputTarget;
  /** The mode of log files that are made, whatever the umask. @default 0o640 */
  logFileMode?: number;
  /** How many at the same time, each with its number in WORKER_INDEX. @default 1, without WORKER_INDEX */
  workers?: number;
  /** What asks a worker to end. @default 'SIGTERM' */
  stopSignal?: SignalName | number;
  /** After how many ms a worker that was asked is killed, with all that it started. @default 10000 */
  stopTimeoutMs?: number;
  /** Whether all that a worker has started dies with it. @default true */
  killTree?: boolean;
  /**
   * What follows for the workers when this process dies: 'kill' at once, or 'terminate': first `stopSignal`, and
   * `stopTimeoutMs` for it.
   *
   * @default 'kill'
   */
  onParentDeath?: 'kill' | 'terminate';
  /** When a worker is ready; 'manual': when it says so as services say it to systemd (sd_notify(3)). @default 'immediate' */
  readiness?: Readiness;
  /** After how many ms a worker that isn't ready is killed, which counts as a failure. @default 60000 */
  readyTimeoutMs?: number;
  /**
   * A worker that hasn't said `WATCHDOG=1` (sd_notify(3), sd_watchdog_enabled(3)) for `timeoutMs` is killed and replaced.
   *
   * @default none
   */
  heartbeat?: { timeoutMs: number };
  /** A worker with a larger resident set, in bytes, is asked to end and replaced. Looked at once a second. @default none */
  maxRssBytes?: number;
  /** What ps shows: `posix-daemon: TITLE`. @default the program's file name */
  title?: string;
  /**
   * Whether this process takes its signals as the watchdog of watchdog() does: TERM, INT and QUIT stop the workers, a second
   * one kills them, HUP, USR1, USR2, WINCH and CONT are passed on; and whether it
   * ends as the last worker did when all is over, unless stop() or kill() was called. If not, that is left to the
   * application, and what a terminal sends doesn't reach the workers.
   *
   * @default true
   */
  signals?: boolean;
  /** The same as a listener of 'exit'. */
  onExit?: (exit: CommandExit) => void;
}

export const COMMAND_OPTIONS: readonly (keyof CommandOptions)[] = [
  'command',
  'args',
  'cwd',
  'env',
  'user',
  'group',
  'groups',
  'chroot',
  'umask',
  'nice',
  'rlimits',
  'stdin',
  'stdout',
  'stderr',
  'logFileMode',
  'workers',
  'restart',
  'successExitCodes',
  'backoff',
  'maxRestarts',
  'stopSignal',
  'stopTimeoutMs',
  'killTree',
  'onParentDeath',
  'readiness',
  'readyTimeoutMs',
  'heartbeat',
  'maxRssBytes',
  'title',
  'signals',
  'onExit',
];
