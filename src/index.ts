export { _exit, waitpid, type WaitpidOptions } from './posix/process.js';
export { openProcess, type ProcessHandle } from './posix/process-handle.js';
export { chdir, chroot, getpgid, getsid, setpgid, setsid, umask } from './posix/session.js';
export { getproctitle, setproctitle } from './posix/title.js';
export { type ResourceUsage, type WaitStatus } from './posix/wait-status.js';
