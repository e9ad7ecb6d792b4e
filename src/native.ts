// Loads the addon. The types are those of the raw binding: positional, validated by nobody but the callers in posix/.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

interface DescriptorCalls {
  dup(fd: number): number;
  dup2(from: number, to: number): number;
  pipe(nonBlocking: boolean): [readFd: number, writeFd: number];
  closefrom(lowest: number): void;
  flock(fd: number, operation: number): void;
  setCloexec(fd: number, on: boolean): void;
}

interface ExecCalls {
}

interface ForkCalls {
  fork(): number;
  forkObstacle(): string | undefined;
  getpid(): number;
}

interface LimitsCalls {
  getrlimit(resource: number): { soft: number; hard: number };
  setrlimit(resource: number, soft: number, hard: number): void;
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
  getSignalMask(): number[];
  setSignalMask(signals: number[]): number[];
  resetSignals(): void;
  /** The C library's SIGRTMIN and SIGRTMAX. */
  sigrtmin: number;
  sigrtmax: number;
}

interface TitleCalls {
}

interface WaitCalls {
}

/** The raw binding. Each call that fails throws a system error (code, errno, syscall, path). */
export interface Native
  extends DescriptorCalls,
    ExecCalls,
    ForkCalls,
    LimitsCalls,
    PrctlCalls,
    SessionCalls,
    SignalsCalls,
    TitleCalls,
    WaitCalls {}

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function load(): Native {
  const loadAddon = require('node-gyp-build') as (dir: string) => Native;
  return loadAddon(root);
}

export const native: Native = load();
