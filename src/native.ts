// The addon. The types are those of the raw binding: positional, validated by nobody but the callers in posix/.
import { loadAddon } from './load-addon.js';

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

export const native = loadAddon() as Native;
