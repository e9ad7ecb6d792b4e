// The addon. The types are those of the raw binding: positional, validated by nobody but the callers in posix/.
import { loadAddon } from './load-addon.js';
import type { ResourceUsage } from './posix/wait-status.js';

interface DescriptorCalls {
  dup(fd: number): number;
  dup2(from: number, to: number): number;
  pipe(nonBlocking: boolean): [readFd: number, writeFd: number];
  closefrom(lowest: number): void;
  flock(fd: number, operation: number): void;
  setCloexec(fd: number, on: boolean): void;
  /** From 3 on, what whoever executed this program had left open. */
  inheritedDescriptors(): number[];
  /** Whether there is something to read, or the end, within `ms`; -1 waits for ever. The event loop stands still. */
  waitReadable(fd: number, ms: number): boolean;
  /** An empty file in memory. */
  memfd(name: string): number;
}

interface LockCalls {
  /** Takes a write lock on the whole file, of the open file description; false if another has a lock. */
  lockForWriting(fd: number): boolean;
  /** Takes a read lock, which any number can have at a time; false if another has a write lock. */
  lockForReading(fd: number): boolean;
  /** Whether another open file description has such a lock. */
  isLockedForWriting(fd: number): boolean;
}

/** A descriptor of the new program: a copy of `source`, or the file at `path`; with neither, what is at `target` stays. */
export interface DescriptorPlan {
  target: number;
  source?: number;
  path?: string;
  flags?: number;
}

/** What forkExec is to do, every name resolved; what is left out stays as the caller has it. */
export interface ForkExecPlan {
  file: string;
  /** With argv[0]. */
  argv: string[];
  env: string[];
  descriptors: DescriptorPlan[];
  setsid: boolean;
  /** Fork a second time, after setsid; the pid returned is that child's. */
  detach: boolean;
  setpgid?: number;
  ctty?: number;
  umask?: number;
  oomScoreAdj?: number;
  rlimits: { resource: number; soft: number; hard: number }[];
  nice?: number;
  chroot?: string;
  cwd?: string;
  groups?: number[];
  gid?: number;
  uid?: number;
  pdeathsig?: number;
  resetSignals: boolean;
  signalMask: number[];
}

interface EventCalls {
  /** From now on awaitEvents() reports the first and they do nothing else; the others are ignored. Once at a time. */
  holdSignals(signals: number[], ignored: number[]): void;
  /** Each does again what it did before; what came meanwhile to a forked process alone is sent to it once more. */
  letGoOfSignals(): void;
  /** The event loop stands still; all are empty when the time, in ms, is over; -1 waits for ever. */
  awaitEvents(fds: number[], ms: number): { signals: number[]; fromTerminal: number[]; readable: number[] };
}

interface ExecCalls {
  forkExec(plan: ForkExecPlan): number;
  execve(path: string, argv: string[], env: string[], kept: number[]): never;
  searchPath(file: string, directories: string, syscall: string): string;
}

interface ForkCalls {
  fork(): number;
  /** In every forked process the bytes are random ones of its own, before this thread runs there. Until the thread ends. */
  renewInChildren(bytes: Uint8Array): void;
  /** The child is a grandchild in a session that it doesn't lead; the caller must be a subreaper, and so its parent. */
  forkDetached(): number;
  /**
   * The child is a grandchild; its parent becomes the program `keeper`, with `title` as its argv[0] and at most 8 more flags;
   * `keeperFd` is the same program opened with O_PATH, or -1. `fd` stays open in it.
   * One that stands by waits in the child for giveStandby(), and returns [0, the number that it was given] there.
   */
  forkKept(
    keeper: string,
    keeperFd: number,
    title: string,
    flags: string[],
    fd: number,
    standbyTitle: string | undefined,
  ): [pid: number, keeperPidOrGiven: number];
  /** To the last one that was forked to stand by; not 0. It looks when it gets SIGCONT. */
  giveStandby(number: number): void;
  forkObstacle(): string | undefined;
  /** In a forked process: whether something that was watched in the file system before isn't any more. */
  watchesLost(): boolean;
  getpid(): number;
  getrandom(bytes: Uint8Array): void;
  mathRandomState(last64: Float64Array, reseed: boolean): number;
}

interface LimitsCalls {
  getrlimit(resource: number): { soft: number; hard: number };
  setrlimit(resource: number, soft: number, hard: number): void;
}

/** A handle of the main event loop that a forked process may have to leave to its parent. */
export interface LoopStream {
  fd: number;
  /** Whether it keeps the loop alive. */
  referenced: boolean;
  /** An IPC channel; a pipe to a child that one of the given processes has started; a connection, from either side. */
  kind: 'channel' | 'child' | 'connection';
}

interface LoopStreamsCalls {
  /** Also whether there are child processes, and streams without a descriptor yet: a name is being looked up. */
  loopStreams(makers: number[]): { processes: boolean; unconnected: boolean; streams: LoopStream[] };
  /** Meanwhile process._getActiveHandles() lists all handles, those without a reference too. */
  withAllReferenced<T>(call: () => T): T;
  /** Meanwhile to close a listening Unix socket doesn't remove its file. */
  withPathsKept<T>(call: () => T): T;
  /** Nothing ever comes on them from now on, and to write is EPIPE. What they lead to stays as it is. */
  severStreams(fds: number[]): void;
}

interface PrctlCalls {
  setPdeathsig(signal: number): void;
  getPdeathsig(): number;
  setChildSubreaper(on: boolean): void;
  getChildSubreaper(): boolean;
  setNoNewPrivs(): void;
  getNoNewPrivs(): boolean;
  setDumpable(on: boolean): void;
  getDumpable(): boolean;
  setThreadName(name: string): void;
  getThreadName(): string;
}

interface SessionCalls {
  setsid(): number;
  getsid(pid: number): number;
  setpgid(pid: number, group: number): void;
  getpgid(pid: number): number;
  umask(mask: number): number;
  chdir(path: string): void;
  chroot(path: string): void;
}

interface SignalsCalls {
  kill(pid: number, signal: number): void;
  queueSignal(pid: number, signal: number, value: number): void;
  /** What SIGTSTP does by default, whatever it does here: nothing where nobody could continue the process. */
  stopAsTerminalDoes(): void;
  getSignalMask(): number[];
  setSignalMask(signals: number[]): number[];
  resetSignals(): void;
  /** Gives up handlers, too. */
  defaultSignals(signals: number[]): void;
  /** The C library's SIGRTMIN and SIGRTMAX. */
  sigrtmin: number;
  sigrtmax: number;
}

interface TitleCalls {
  setproctitle(title: string): void;
  /** What /proc/PID/environ shows: variables, each with a NUL after it. */
  showEnvironment(block: string): void;
}

export interface RawWaitStatus {
  pid: number;
  exitCode: number | null;
  signal: number | null;
  coreDumped: boolean;
  stopped: number | null;
  rusage: ResourceUsage;
}

export interface PidFd {
  alive(): boolean;
  /** Readable when the process has terminated; -1 after close(). */
  descriptor(): number;
  signal(signal: number): void;
  /** Calls back once when the process has terminated, unless close() comes first; one watch at a time. */
  watch(callback: (error: Error | null, status: RawWaitStatus | null) => void): void;
  /** Whether a watch keeps the event loop alive; it does until told otherwise. */
  keepAlive(on: boolean): void;
  /** For another process, once it is closed. */
  reopen(pid: number): void;
  close(): void;
}

export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
  shell: string;
}

interface UsersCalls {
  findUser(nameOrId: string | number): Account | undefined;
  findGroup(name: string): number | undefined;
  groupsOf(user: string, gid: number): number[];
  maySetGroups(): boolean;
}

interface WaitCalls {
  waitpid(pid: number, noHang: boolean, untraced: boolean): RawWaitStatus | null;
  exit(status: number): never;
  PidFd: new (pid: number) => PidFd;
}

/** The raw binding. Each call that fails throws a system error (code, errno, syscall, path). */
export interface Native
  extends DescriptorCalls,
    EventCalls,
    ExecCalls,
    ForkCalls,
    LimitsCalls,
    LockCalls,
    LoopStreamsCalls,
    PrctlCalls,
    SessionCalls,
    SignalsCalls,
    TitleCalls,
    UsersCalls,
    WaitCalls {}

export const native = loadAddon() as Native;
