// Loads the addon. The types are those of the raw binding: positional, validated by nobody but the callers in posix/.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ResourceUsage } from './posix/wait-status.js';

interface DescriptorCalls {
}

interface ExecCalls {
}

interface ForkCalls {
}

interface LimitsCalls {
}

interface PrctlCalls {
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
}

interface TitleCalls {
  setproctitle(title: string): void;
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
  signal(signal: number): void;
  /** Calls back once when the process has terminated, unless close() comes first; one watch at a time. */
  watch(callback: (error: Error | null, status: RawWaitStatus | null) => void): void;
  close(): void;
}

interface WaitCalls {
  waitpid(pid: number, noHang: boolean, untraced: boolean): RawWaitStatus | null;
  exit(status: number): never;
  PidFd: new (pid: number) => PidFd;
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
