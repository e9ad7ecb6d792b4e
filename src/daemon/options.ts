import type { Limit } from '../posix/limits.js';
import type { Resource } from '../posix/resources.js';

/** A log that is more than a file to append to. */
export interface LogOptions {
  path: string;
  /** The size in bytes that no file of the log exceeds (unless one line alone does): then a new one is begun. @default 0, none */
  maxBytes?: number;
  /** How many full files are kept, as PATH.1, the newest, to PATH.N. @default 10 */
  backups?: number;
  /** Whether each line begins with the time it was read, as 2026-01-31T12:34:56.789Z. @default false */
  timestamps?: boolean;
}

/**
 * Where what is written to 1 or 2 goes: the path of a file to append to, one with `maxBytes` or `timestamps`, `'null'`
 * (/dev/null), `'inherit'` (where it goes now), or a descriptor.
 */
export type OutputTarget = 'null' | 'inherit' | (string & {}) | number | LogOptions;

/** Options of daemonize(). Paths are relative to the working directory at the call. */
export interface DaemonizeOptions {
  /** How messages call the daemon. @default the script's file name */
  name?: string;
  /** The working directory, entered as the new user and in the new root. @default '/' */
  cwd?: string;
  /** The file mode creation mask. @default 0 */
  umask?: number;
  /** The root directory; needs CAP_SYS_CHROOT. Modules not loaded yet, and reopened logs, are then looked up in it. */
  chroot?: string;
  /** The user, by name or id: real, effective and saved. Any other than one's own needs CAP_SETUID. */
  user?: string | number;
  /** The group. @default the user's primary one */
  group?: string | number;
  /** The supplementary groups, all of them. @default the user's, as initgroups(3) has it */
  groups?: readonly (string | number)[];
  /** What `ps` shows. @default the command line as it is */
  title?: string;
  /** The pid file. @default none */
  pidFile?: string;
  /** Its mode, writable by the owner and nobody else. @default 0o644 */
  pidFileMode?: number;
  /** A file to read, `'null'`, `'inherit'`, or a descriptor. @default 'null' */
  stdin?: 'null' | 'inherit' | (string & {}) | number;
  /** @default 'null' */
  stdout?: OutputTarget;
  /** Where this names the same file as `stdout`, both share it. @default 'null' */
  stderr?: OutputTarget;
  /** The mode of log files that are made, whatever the umask. @default 0o640 */
  logFileMode?: number;
  /**
   * The whole environment.
   *
   * @default the present one without what belongs to the starter's terminal and login (TERM, COLUMNS, LINES, SSH_TTY,
   * SSH_CONNECTION, SSH_CLIENT, GPG_TTY, STY, TMUX, TMUX_PANE, WINDOWID, OLDPWD, PWD, SHLVL, _), and with HOME, USER,
   * LOGNAME and SHELL of `user`
   */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * Descriptors from 3 on that the starter was given by its own parent and that the daemon keeps; others of these are
   * closed. By live fork, what the script itself opened is always kept; by exec, nothing is but these.
   *
   * @default those of systemd's socket activation (LISTEN_FDS), if they were meant for the starter
   */
  keepFds?: readonly number[];
  /** Resource limits, soft and hard; a number is both. */
  rlimits?: Readonly<Partial<Record<Resource, number | Limit>>>;
  /** The nice value, -20 to 19. @default as it is */
  nice?: number;
  /** How gladly the kernel kills the daemon when memory runs out, -1000 (never) to 1000. @default as it is */
  oomScoreAdj?: number;
  /** When the starter may go: when daemonize() returns in the daemon, or when that calls `ready()`. @default 'immediate' */
  ready?: 'immediate' | 'manual';
  /** After how many ms a daemon that isn't ready is killed, and the starter fails. @default 30000 */
  readyTimeoutMs?: number;
  /**
   * 'fork': the daemon goes on from the call, with all the state of the script. 'exec': the script runs again, and
   * becomes the daemon at the call. 'auto': by fork, where forkSupport() says that it can be.
   *
   * @default 'auto'
   */
  mode?: 'auto' | 'fork' | 'exec';
}

export const DAEMONIZE_OPTIONS: readonly (keyof DaemonizeOptions)[] = [
  'name',
  'cwd',
  'umask',
  'chroot',
  'user',
  'group',
  'groups',
  'title',
  'pidFile',
  'pidFileMode',
  'stdin',
  'stdout',
  'stderr',
  'logFileMode',
  'env',
  'keepFds',
  'rlimits',
  'nice',
  'oomScoreAdj',
  'ready',
  'readyTimeoutMs',
  'mode',
];
export const LOG_OPTIONS: readonly (keyof LogOptions)[] = ['path', 'maxBytes', 'backups', 'timestamps'];
