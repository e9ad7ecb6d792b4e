export { chdir, chroot, getpgid, getsid, setpgid, setsid, umask } from './posix/session.js';
