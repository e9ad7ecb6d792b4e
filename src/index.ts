export { atfork, type ForkHooks } from './posix/atfork.js';
export {
  closefrom,
  dup,
  dup2,
  type FlockOperation,
  type FlockOptions,
  flock,
  type PipeOptions,
  pipe,
  setCloexec,
} from './posix/descriptor.js';
export { type ForkSupport, fork, forkSupport } from './posix/fork.js';
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
export { chdir, chroot, getpgid, getsid, setpgid, setsid, umask } from './posix/session.js';
export { getSignalMask, kill, resetSignals, setSignalMask } from './posix/signal.js';
export type { SignalName } from './posix/signal-number.js';
