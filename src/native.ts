// Loads the addon. The types are those of the raw binding: positional, validated by nobody but the callers in posix/.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

interface DescriptorCalls {
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

interface ExecCalls {
  forkExec(plan: ForkExecPlan): number;
  execve(path: string, argv: string[], env: string[], kept: number[]): never;
  searchPath(file: string, directories: string, syscall: string): string;
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
}

interface UsersCalls {
  findUser(nameOrId: string | number): { name: string; uid: number; gid: number } | undefined;
  findGroup(name: string): number | undefined;
  groupsOf(user: string, gid: number): number[];
  maySetGroups(): boolean;
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
    UsersCalls,
    WaitCalls {}

const require = createRequire(import.meta.url);
const root = dirname(dirname(fileURLToPath(import.meta.url)));

function load(): Native {
  const loadAddon = require('node-gyp-build') as (dir: string) => Native;
  return loadAddon(root);
}

export const native: Native = load();
