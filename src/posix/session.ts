import { native } from '../native.js';
import { mainThreadOnly } from './main-thread.js';
import * as validate from './validate.js';

/**
 * Starts a new session with the caller as its leader and the leader of a new process group, without a controlling
 * terminal.
 *
 * @returns the new session's id, the caller's pid
 * @throws EPERM if the caller leads a process group already, as every program that a shell started by itself does;
 * fork() first
 * @see setsid(2)
 */
export function setsid(): number {
  return native.setsid();
}

/**
 * The session that a process belongs to.
 *
 * @param pid the process; 0, the default, is the caller
 * @throws ESRCH if there is no such process
 * @see getsid(2)
 */
export function getsid(pid = 0): number {
  validate.pid('pid', pid);
  return native.getsid(pid);
}

/**
 * Moves a process into a process group of its session.
 *
 * @param pid the process: the caller or a child of it that has not called execve yet; 0, the default, is the caller
 * @param pgid the group; 0, the default, is the process's own pid, which makes it the leader of a new group
 * @throws EACCES if the child has called execve; EPERM if the process leads a session or the group is in another one;
 * ESRCH if the process is neither the caller nor its child
 * @see setpgid(2)
 */
export function setpgid(pid = 0, pgid = 0): void {
  validate.pid('pid', pid);
  validate.pid('pgid', pgid);
  native.setpgid(pid, pgid);
}

/**
 * The process group of a process.
 *
 * @param pid the process; 0, the default, is the caller
 * @throws ESRCH if there is no such process
 * @see getpgid(2)
 */
export function getpgid(pid = 0): number {
  validate.pid('pid', pid);
  return native.getpgid(pid);
}

/**
 * Sets the file mode creation mask of the whole process: the permission bits that new files and folders don't get.
 *
 * @param mask the new mask, 0 to 0o777
 * @returns the mask before
 * @see umask(2)
 */
export function umask(mask: number): number {
  validate.integer('mask', mask, 0, 0o777);
  return native.umask(mask);
}

const WHOLE_PROCESS = 'it changes where every other thread finds its files';

// Node remembers in each thread what process.cwd() answered. Only process.chdir() makes it forget, in the workers too.
// The move itself is native: process.chdir() reports the old directory as `path`, and garbage if that one is deleted.
// Moving to '.' afterwards goes nowhere, and works in a deleted or unreachable directory as well.
function forgetCwd(): void {
  process.chdir('.');
}

/**
 * Changes the working directory of the whole process; process.cwd() follows. Works also when the present one is
 * deleted.
 *
 * @throws ENOENT if there is no such directory, or `path` is empty; ENOTDIR; EACCES; ELOOP; ENAMETOOLONG;
 * ERR_WORKER_UNSUPPORTED_OPERATION in a worker thread
 * @see chdir(2)
 */
export function chdir(path: string): void {
  validate.text('path', path);
  mainThreadOnly('chdir', WHOLE_PROCESS);
  native.chdir(path);
  forgetCwd();
}

/**
 * Changes the root directory of the process. The working directory stays where it was, outside of the new root: call
 * chdir('/') next. What has not been loaded yet (modules, time zone, resolver files) is looked up in the new root.
 *
 * Until then process.cwd() fails with ENOENT.
 *
 * @throws EPERM without CAP_SYS_CHROOT; ENOENT, ENOTDIR, EACCES, ELOOP, ENAMETOOLONG; ERR_WORKER_UNSUPPORTED_OPERATION
 * in a worker thread
 * @see chroot(2)
 */
export function chroot(path: string): void {
  validate.text('path', path);
  mainThreadOnly('chroot', WHOLE_PROCESS);
  native.chroot(path);
  forgetCwd();
}
