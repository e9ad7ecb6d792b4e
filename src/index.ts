export { atfork, type ForkHooks } from './posix/atfork.js';
export { type ForkSupport, fork, forkSupport } from './posix/fork.js';
export {
  closefrom,
  dup,
  dup2,
  flock,
  type FlockOperation,
  type FlockOptions,
  pipe,
  type PipeOptions,
  setCloexec,
} from './posix/descriptor.js';
export { getrlimit, type Limit, setrlimit } from './posix/limits.js';
export {
  getChildSubreaper,
  getDumpable,
  getNoNewPrivs,
  getPdeathsig,
  getThreadName,
  setChildSubreaper,
  setDumpable,
  setNoNewPrivs,
  setPdeathsig,
  setThreadName,
} from './posix/prctl.js';
export type { Resource } from './posix/resources.js';
export { execve, type ExecveOptions, forkExec, lookPath } from './posix/exec.js';
export type { ForkExecOptions, StdioSource } from './posix/exec-options.js';
export { chdir, chroot, getpgid, getsid, setpgid, setsid, umask } from './posix/session.js';
export { getSignalMask, kill, resetSignals, setSignalMask } from './posix/signal.js';
export type { SignalName } from './posix/signal-number.js';
export { _exit, waitpid, type WaitpidOptions } from './posix/process.js';
export { openProcess, type ProcessHandle } from './posix/process-handle.js';
export { getproctitle, setproctitle } from './posix/title.js';
export { type ResourceUsage, type WaitStatus } from './posix/wait-status.js';
