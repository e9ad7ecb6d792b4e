// Loads the addon. The types are those of the raw binding: positional, validated by nobody but the callers in posix/.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

interface DescriptorCalls {
}

interface ExecCalls {
}

interface ForkCalls {
  fork(): number;
  forkObstacle(): string | undefined;
  getpid(): number;
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
