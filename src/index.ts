export { atfork, type ForkHooks } from './posix/atfork.js';
export { type ForkSupport, fork, forkSupport } from './posix/fork.js';
export { chdir, chroot, getpgid, getsid, setpgid, setsid, umask } from './posix/session.js';
