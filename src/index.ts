export { findDaemon, type RunningDaemon, type StopOptions, type Stopped } from './daemon/control.js';
export type { Daemon } from './daemon/daemon.js';
export { daemonize } from './daemon/daemonize.js';
export type { AlreadyRunningError } from './daemon/errors.js';
export type { DaemonizeOptions, LogOptions, OutputTarget } from './daemon/options.js';
export { PidFile, type PidFileOptions } from './daemon/pid-file.js';
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
export { type ExecveOptions, execve, forkExec, lookPath } from './posix/exec.js';
export type { ForkExecOptions, StdioSource } from './posix/exec-options.js';
export { type ForkOptions, type ForkSupport, fork, forkSupport } from './posix/fork.js';
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
export { _exit, type WaitpidOptions, waitpid } from './posix/process.js';
export { openProcess, type ProcessHandle } from './posix/process-handle.js';
export type { Resource } from './posix/resources.js';
export { chdir, chroot, getpgid, getsid, setpgid, setsid, umask } from './posix/session.js';
export { getSignalMask, kill, resetSignals, setSignalMask } from './posix/signal.js';
export type { SignalName } from './posix/signal-number.js';
export { getproctitle, setproctitle } from './posix/title.js';
export type { ResourceUsage, WaitStatus } from './posix/wait-status.js';
export type { CommandOptions } from './watchdog/command/options.js';
export { Watchdog, type WatchdogStatus } from './watchdog/command/watchdog.js';
export type {
  CommandExit,
  CommandWorker,
  GivenUp,
  StartFailure,
  WatchdogEnd,
  WatchdogEvents,
} from './watchdog/command/watchdog-events.js';
export type { WorkerStatus } from './watchdog/command/workers.js';
export type { Guarantee } from './watchdog/guarantee.js';
export type { Heartbeat, WatchdogOptions, WorkerExit } from './watchdog/options.js';
export type { Readiness } from './watchdog/readiness.js';
export type { Backoff, RestartLimit, RestartOptions } from './watchdog/restart-policy.js';
export type { PoolMember, PoolStatus } from './watchdog/status.js';
export { watchdog } from './watchdog/watchdog.js';
export type { Worker } from './watchdog/worker.js';
