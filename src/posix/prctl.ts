import { native } from '../native.js';
import { mainThreadOnly } from './main-thread.js';
import { type SignalName, signalName, signalNumber } from './signal-number.js';
import * as validate from './validate.js';

// "Parent" is the thread that made this process, and the setting belongs to the thread that asked for it: a worker's
// would silently end with the worker.
const PER_THREAD = 'the setting belongs to one thread and would end with the worker';

/**
 * Has the kernel send this process a signal when its parent dies.
 *
 * **Check the parent after arming**: it may have died before, and then no signal comes. Take its pid before the fork,
 * or from `process.ppid` first thing, and end the process if `process.ppid` is another one afterwards.
 *
 * The setting is cleared by fork (a child arms its own), by the exec of a set-user-id, set-group-id or
 * capability-carrying program, and by any change of credentials (setuid, setgid and their kin): arm it after those. It
 * survives every other exec. "Parent" is the *thread* that made this process: if a worker thread of the parent did, the
 * signal comes when that thread ends.
 *
 * @param signal by name or number; 0 disarms
 * @throws ERR_WORKER_UNSUPPORTED_OPERATION in a worker thread; ERR_UNKNOWN_SIGNAL
 * @see PR_SET_PDEATHSIG(2const)
 */
export function setPdeathsig(signal: SignalName | number): void {
  mainThreadOnly('setPdeathsig', PER_THREAD);
  native.setPdeathsig(signalNumber('signal', signal, { allowZero: true }));
}

/**
 * The signal that setPdeathsig() armed, or null.
 *
 * @throws ERR_WORKER_UNSUPPORTED_OPERATION in a worker thread
 * @see PR_GET_PDEATHSIG(2const)
 */
export function getPdeathsig(): SignalName | null {
  mainThreadOnly('getPdeathsig', PER_THREAD);
  const signal = native.getPdeathsig();
  return signal === 0 ? null : signalName(signal);
}

/**
 * Makes this process the new parent of its descendants that lose theirs, in place of process 1. It has to wait for them
 * (waitpid), or they stay zombies. Not inherited by children; kept over exec.
 *
 * @param on true by default
 * @see PR_SET_CHILD_SUBREAPER(2const)
 */
export function setChildSubreaper(on = true): void {
  validate.boolean('on', on);
  native.setChildSubreaper(on);
}

/** Whether setChildSubreaper() is on for this process. */
export function getChildSubreaper(): boolean {
  return native.getChildSubreaper();
}

/**
 * Gives up, for ever, gaining privileges by exec: set-user-id and set-group-id bits and file capabilities have no
 * effect any more. Children inherit it, it survives exec, and nothing takes it back.
 *
 * It holds for the calling thread and what that starts. Workers that run already keep what they have: call it before
 * they are made.
 *
 * @see PR_SET_NO_NEW_PRIVS(2const)
 */
export function setNoNewPrivs(): void {
  native.setNoNewPrivs();
}

/** Whether setNoNewPrivs() holds for the calling thread. */
export function getNoNewPrivs(): boolean {
  return native.getNoNewPrivs();
}

/**
 * Says whether the process may leave a core file and be looked into by others of its user. Off, `/proc/PID` belongs to
 * root, and what reads `/proc/self` as an ordinary user (closefrom, dup2, fork) fails with EACCES. An exec turns it on
 * again, a change of credentials off.
 *
 * @see PR_SET_DUMPABLE(2const)
 */
export function setDumpable(on: boolean): void {
  validate.boolean('on', on);
  native.setDumpable(on);
}

/** Whether the process is dumpable; false also where only root may see the core file. */
export function getDumpable(): boolean {
  return native.getDumpable();
}

/**
 * Names the calling thread; the main thread's name is the process's in `ps -o comm`, `top` and `pgrep`, which for a
 * Node process is `node` or `MainThread`. setproctitle() changes the command line that `ps -f` shows.
 *
 * @param name 1 to 15 bytes of UTF-8
 * @throws ERR_OUT_OF_RANGE if it is empty or longer: the kernel would cut it, in the middle of a character too
 * @see PR_SET_NAME(2const)
 */
export function setThreadName(name: string): void {
  validate.text('name', name);
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > 15) throw validate.outOfRange('name', '1 to 15 bytes of UTF-8', name);
  native.setThreadName(name);
}

/** The calling thread's name. */
export function getThreadName(): string {
  return native.getThreadName();
}
