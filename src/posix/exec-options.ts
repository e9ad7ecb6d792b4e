import type { Resource } from './resources.js';
import type { SignalName } from './signal-number.js';

/**
 * Where one of the standard descriptors of a new program comes from: a descriptor of the caller, the path of a file,
 * `'null'` (/dev/null) or `'inherit'` (what the caller has at that number). For a file of either name write `'./null'`.
 */
export type StdioSource = number | 'null' | 'inherit' | (string & {});

/**
 * How a program is started. The child takes the steps in this order: `setsid`, `setpgid`, `detach`, `umask`, `oomScoreAdj`,
 * `stdio` and `fds`, `ctty`, `rlimits`, `nice`, `chroot`, `groups`, `gid`, `uid`, `cwd`, `pdeathsig`, `resetSignals`,
 * `signalMask`, execve.
 */
export interface ForkExecOptions {
  /** The arguments after argv[0]. @default [] */
  argv?: readonly string[];
  /** argv[0], by which the program knows itself. @default `title`, else `file` */
  argv0?: string;
  /** What ps shows for the program until it chooses a title itself: argv[0], unless `argv0` is given. */
  title?: string;
  /** The whole environment; a variable that is undefined is left out. @default process.env */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * The working directory. It is entered as the new user and in the new root: a directory that the user may not enter
   * fails with EACCES, and a home that is closed to root (NFS) works.
   *
   * @default the caller's; '/' when `chroot` is given
   */
  cwd?: string;
  /** The root directory, before the ids change; needs CAP_SYS_CHROOT. `file` must then have a slash, and is looked up in it. */
  chroot?: string;
  /** The user: real, effective and saved id. Any other than one's own needs CAP_SETUID. */
  uid?: number | string;
  /**
   * The group: real, effective and saved id.
   *
   * @default with `uid` and CAP_SETGID the user's primary group, else the caller's group
   */
  gid?: number | string;
  /**
   * The supplementary groups, all of them; needs CAP_SETGID.
   *
   * @default with `uid` and CAP_SETGID what initgroups(3) gives the user, else the caller's
   */
  groups?: readonly (number | string)[];
  /** The file mode creation mask, 0 to 0o777; it holds for the files of `stdio` too. @default the caller's */
  umask?: number;
  /**
   * Descriptors 0, 1 and 2. A path is opened as the caller would open it, before root, user and directory change, as a
   * shell does for redirections: 0 for reading, 1 and 2 for appending, created with mode 0666 less the umask. A
   * terminal does not become the controlling one. A FIFO blocks the caller until its other end is open.
   *
   * @default ['inherit', 'inherit', 'inherit'], which also stands for missing elements
   */
  stdio?: readonly (StdioSource | undefined)[];
  /**
   * More descriptors, as `{ target: source }`: the number in the program, 3 or more, and the caller's descriptor it is a
   * copy of. Swaps are safe. Every descriptor that isn't named here or in `stdio` is closed.
   */
  fds?: Readonly<Record<number, number>>;
  /** Whether the program leads a new session, and a new process group in it, with no controlling terminal. @default false */
  setsid?: boolean;
  /**
   * Whether to fork a second time after `setsid`, which it needs: the program doesn't lead its session and can't get a
   * controlling terminal any more. It is no child of the caller then: init or the nearest subreaper adopts it. Not with
   * `pdeathsig` or `ctty`.
   *
   * @default false
   */
  detach?: boolean;
  /** The process group to join, in the caller's session; true makes the program the leader of a new one. @default false */
  setpgid?: boolean | number;
  /** The descriptor, as the program numbers it, of the terminal that is to control the new session; true is 0. Needs `setsid`. */
  ctty?: boolean | number;
  /**
   * A signal that the kernel sends the program when the caller dies, however it dies. It reaches this process only, not
   * its children, and is cleared when the program executes a set-user-ID file or changes its ids.
   *
   * Main thread only: it is sent when the *thread* ends that started the program.
   */
  pdeathsig?: SignalName | number;
  /** Resource limits, soft and hard; a number is both. `Infinity` is no limit. Raising a hard limit needs CAP_SYS_RESOURCE. */
  rlimits?: Readonly<Partial<Record<Resource, number | { soft: number; hard: number }>>>;
  /** The nice value, -20 (first served) to 19; lowering it needs CAP_SYS_NICE. @default the caller's */
  nice?: number;
  /**
   * How gladly the kernel kills the program when memory runs out, -1000 (never) to 1000; lowering it needs
   * CAP_SYS_RESOURCE.
   *
   * @default the caller's
   */
  oomScoreAdj?: number;
  /**
   * Whether every signal has its default effect in the program. If not, signals that the caller ignores stay ignored, as
   * execve(2) has it, which in Node includes SIGPIPE.
   *
   * @default true
   */
  resetSignals?: boolean;
  /** The signals that are blocked in the program, exactly. @default [] */
  signalMask?: readonly (SignalName | number)[];
}

export const FORK_EXEC_OPTIONS: readonly (keyof ForkExecOptions)[] = [
  'argv',
  'argv0',
  'title',
  'env',
  'cwd',
  'chroot',
  'uid',
  'gid',
  'groups',
  'umask',
  'stdio',
  'fds',
  'setsid',
  'detach',
  'setpgid',
  'ctty',
  'pdeathsig',
  'rlimits',
  'nice',
  'oomScoreAdj',
  'resetSignals',
  'signalMask',
];
