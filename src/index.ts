export { execve, type ExecveOptions, forkExec, lookPath } from './posix/exec.js';
export type { ForkExecOptions, StdioSource } from './posix/exec-options.js';
export { chdir, chroot, getpgid, getsid, setpgid, setsid, umask } from './posix/session.js';
