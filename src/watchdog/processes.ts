// The processes around a watchdog: looked at and signalled without ever hitting one that only has the same number by now.
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { reasonOf } from '../daemon/errors.js';
import { native, type PidFd } from '../native.js';
import { setproctitle } from '../posix/title.js';
import { complain } from './complain.js';

/** The children of a process with one thread that has any. */
export function children(pid = native.getpid()): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return scannedChildren(pid);
  }
}

/** For a kernel without that list (no CONFIG_PROC_CHILDREN). */
export function scannedChildren(pid: number): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return all.map(Number).filter((one) => parentOf(one) === pid);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined; // it has ended since it was listed
  }
}

// To be opened again: a watchdog's event loop stands still, and what a PidFd has outside of V8's heap is freed by it.
const closed: PidFd[] = [];

/**
 * A worker, for as long as it is one, to be closed by closeWorker(); undefined if it has ended already, or can't be watched for
 * want of a descriptor.
 */
export function openWorker(pid: number, keeperPid: number): PidFd | undefined {
  let handle: PidFd | undefined;
  try {
    handle = closed.pop() ?? new native.PidFd(pid);
    if (handle.descriptor() === -1) reopen(handle, pid);
    // Not another process that has its pid by now.
    if (children(keeperPid).includes(pid)) return handle;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') complain(`a worker can't be watched: ${reasonOf(error)}`);
  }
  if (handle && handle.descriptor() !== -1) closeWorker(handle);
  return undefined;
}

function reopen(handle: PidFd, pid: number): void {
  try {
    handle.reopen(pid);
  } catch (error) {
    closed.push(handle);
    throw error;
  }
}

export function closeWorker(handle: PidFd | undefined): void {
  if (!handle) return;
  handle.close();
  closed.push(handle);
}

export function tell(handle: PidFd | undefined, signal: number): void {
  try {
    handle?.signal(signal);
  } catch {
    // It has just ended, or become another user: what there is to hear of it comes from its keeper.
  }
}

/**
 * The same for the worker's whole process group, by its keeper: that knows whether the group's number still means that group.
 *
 * @param keeperPid one that hasn't been reaped
 */
export function tellGroup(keeperPid: number, handle: PidFd | undefined, signal: number): void {
  try {
    native.queueSignal(keeperPid, native.sigrtmin, -signal);
  } catch {
    // EAGAIN: too many are queued.
    tell(handle, signal);
  }
}

/** Any child that has ended and hasn't been reaped yet. */
export function reapAny() {
  try {
    return native.waitpid(-1, true, false);
  } catch {
    return null; // ECHILD
  }
}

/** Whether a child could be sent SIGKILL: sudo under an ordinary user can't. */
export function isKilled(pid: number): boolean {
  try {
    native.kill(pid, constants.signals.SIGKILL);
    return true;
  } catch {
    return false;
  }
}

/** The title helps, but nothing depends on it: a sandbox may not allow it. */
export function show(title: string): void {
  try {
    setproctitle(title);
  } catch {
    // ps goes on showing the command line.
  }
}
