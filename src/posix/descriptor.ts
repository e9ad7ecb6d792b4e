import { native } from '../native.js';
import * as validate from './validate.js';

/** Options of {@link pipe}. */
export interface PipeOptions {
  /** Whether both ends get O_NONBLOCK: reading and writing fail with EAGAIN instead of waiting; false by default. */
  nonBlocking?: boolean;
}

/** Options of {@link flock}. */
export interface FlockOptions {
  /** Whether to fail with EAGAIN instead of waiting; false by default. */
  nonBlocking?: boolean;
}

// The kernel's LOCK_SH, LOCK_EX, LOCK_UN and LOCK_NB, the same everywhere.
const LOCKS = { shared: 1, exclusive: 2, unlock: 8 } as const;
const LOCK_NB = 4;

/** What {@link flock} does. */
export type FlockOperation = keyof typeof LOCKS;

function nonBlockingOf(options: unknown): boolean {
  validate.options('options', options, ['nonBlocking']);
  const { nonBlocking = false } = options as PipeOptions;
  validate.boolean('options.nonBlocking', nonBlocking);
  return nonBlocking;
}

/**
 * Copies a descriptor to the lowest free number. Both share the file offset, the status flags and a flock lock. The
 * copy is close-on-exec.
 *
 * @returns the copy
 * @throws EBADF if `fd` is not open; EMFILE if the process has as many as it may (`nofile` of setrlimit)
 * @see dup(2)
 */
export function dup(fd: number): number {
  validate.descriptor('fd', fd);
  return native.dup(fd);
}

/**
 * Makes `newFd` a copy of `oldFd`, closing what it was, in one step.
 *
 * The copy is close-on-exec, 0, 1 and 2 no less than others: so are the ones Node starts with, and child_process,
 * forkExec() and execve() hand these three on all the same. For another exec see setCloexec(). If both numbers are
 * equal nothing changes, the flag included.
 *
 * A stream or FileHandle that owns `newFd` goes on with the new file and closes it in the end.
 *
 * @returns `newFd`
 * @throws EBADF if `oldFd` is not open or `newFd` is above the `nofile` limit; EBUSY if `newFd` is one that the event
 * loops of this process live on (they hold low numbers: take one that is free, or that you opened)
 * @see dup2(2)
 */
export function dup2(oldFd: number, newFd: number): number {
  validate.descriptor('oldFd', oldFd);
  validate.descriptor('newFd', newFd);
  return native.dup2(oldFd, newFd);
}

/**
 * Makes a pipe. Both ends are close-on-exec. A forked child shares it with its parent.
 *
 * @returns the end to read from and the end to write to
 * @throws EMFILE, ENFILE if there is no descriptor left for the process, for the system
 * @see pipe(2)
 */
export function pipe(options: PipeOptions = {}): [readFd: number, writeFd: number] {
  return native.pipe(nonBlockingOf(options));
}

/**
 * Closes every descriptor from `fd` on, except those that the running Node itself lives on:
 *
 * - epoll, eventfd, io_uring and inotify descriptors (also those of other addons, which look no different);
 * - libuv's own pipes, known by having both ends in this process, both close-on-exec, and not being made by pipe();
 * - `/dev/null` opened read-only and close-on-exec: libuv's reserve for a moment without free descriptors;
 * - a close-on-exec descriptor of the terminal that 0, 1 or 2 is at the time: libuv's own for process.stdout and its
 *   siblings. To let go of a terminal, replace 0 to 2 first.
 *
 * Everything else is closed under its owner's feet: files, sockets, servers, the pipes of pipe(), the IPC channel and
 * the stdio of child processes, ProcessHandles, an open inspector's sockets. A stream whose descriptor is gone hears
 * nothing of it: close() and destroy() such objects *first*, and await file operations under way, or they will fail
 * with EBADF, or close a later file that got the same number. With `fd` below 3 standard input, output and error go
 * too, and the next file opened takes their place.
 *
 * Worker threads share the descriptors with the process.
 *
 * @throws ENOENT or EACCES with `syscall: 'opendir'` if /proc is not there or not readable; then nothing was closed
 * @see closefrom(3)
 */
export function closefrom(fd: number): void {
  validate.descriptor('fd', fd);
  native.closefrom(fd);
}

/**
 * Locks an open file, or unlocks it. The lock belongs to the open file, not to the process: copies of the descriptor
 * and forked children share it, and it ends when the last of them is closed. A second open of the same file, in this
 * process too, competes for it. Changing between shared and exclusive is not atomic: another can get in between.
 *
 * Without `nonBlocking` this waits in the kernel, and the thread with its event loop stands still; a signal's listener
 * runs only afterwards.
 *
 * @param operation 'shared' for any number of holders, 'exclusive' for one, 'unlock'
 * @throws EAGAIN if `nonBlocking` and another holds it; EBADF if `fd` is not open; ENOLCK if the kernel has no memory
 * for it
 * @see flock(2)
 */
export function flock(fd: number, operation: FlockOperation, options: FlockOptions = {}): void {
  validate.descriptor('fd', fd);
  if (typeof operation !== 'string') throw validate.invalidType('operation', 'a string', operation);
  if (!Object.hasOwn(LOCKS, operation)) {
    throw validate.invalidValue('operation', "one of 'shared', 'exclusive', 'unlock'", operation);
  }
  native.flock(fd, LOCKS[operation] | (nonBlockingOf(options) ? LOCK_NB : 0));
}

/**
 * Sets or clears a descriptor's close-on-exec flag. Cleared, the descriptor stays open in what child_process starts.
 *
 * @param on true by default
 * @throws EBADF if `fd` is not open
 * @see fcntl(2), F_SETFD
 */
export function setCloexec(fd: number, on = true): void {
  validate.descriptor('fd', fd);
  validate.boolean('on', on);
  native.setCloexec(fd, on);
}
