// What a process does to become a daemon, one function a step.
import { closeSync, fstatSync, readdirSync, type Stats, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { native } from '../native.js';
import type { Credentials } from '../posix/credentials.js';
import { setrlimit } from '../posix/limits.js';
import { chdir, chroot } from '../posix/session.js';
import { setproctitle } from '../posix/title.js';
import { coded } from './errors.js';
import type { DaemonPlan } from './plan.js';

interface Inherited {
  fd: number;
  file: Stats;
}

// Looked up when the package is loaded: what the script opens later has other numbers, and its marks are its own.
const inherited: readonly Inherited[] = isMainThread
  ? native.inheritedDescriptors().map((fd) => ({ fd, file: fstatSync(fd) }))
  : [];

function isStillOpen({ fd, file }: Inherited): boolean {
  try {
    const { ino, dev } = fstatSync(fd);
    return ino === file.ino && dev === file.dev;
  } catch {
    return false;
  }
}

/** Closes what the starter got from whoever started it: a lock of a script, a pipe that somebody waits at the end of. */
export function closeInherited(keep: readonly number[]): void {
  // The channel of child_process.fork() is Node's, which closes its descriptor in the next tick: closed here, that number
  // could be another file's by then.
  const channel = (process.channel as { fd?: number } | null | undefined)?.fd;
  if (process.connected) process.disconnect();
  for (const one of inherited) {
    if (one.fd !== channel && !keep.includes(one.fd) && isStillOpen(one)) closeSync(one.fd);
  }
}

export function setLimits({ rlimits, nice, oomScoreAdj }: DaemonPlan): void {
  for (const [resource, limit] of rlimits) setrlimit(resource, limit);
  if (nice !== undefined) {
    // Linux keeps one for each thread.
    for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), nice);
  }
  if (oomScoreAdj !== undefined) writeFileSync('/proc/self/oom_score_adj', `${oomScoreAdj}`);
}

export function takeOnTitle({ title }: DaemonPlan): void {
  if (title !== undefined) setproctitle(title);
}

function changeRoot(root: string | undefined): void {
  if (root === undefined) return;
  chroot(root);
  // A working directory outside of the root is a way out of it.
  chdir('/');
}

function mustNotRegainRoot(uid: number): void {
  if (uid === 0) return;
  try {
    process.setuid?.(0);
  } catch {
    return;
  }
  throw coded('ERR_PRIVILEGES_KEPT', `root's rights could be taken back after the change to uid ${uid}`);
}

/** Makes Node's error of setuid() and its like what others are: with the call in its text, and a negative errno. */
function changeIds(change: () => void): void {
  try {
    change();
  } catch (error) {
    const { code = '', message, errno = 0, syscall } = error as NodeJS.ErrnoException;
    const reason = message.slice(`${code}, `.length).toLowerCase();
    throw coded(code, `${code}: ${reason}, ${syscall}`, { errno: -errno, syscall });
  }
}

/** Each of these needs the privilege that the next one gives up. The C library changes every thread. */
function dropPrivileges({ groups, gid, uid }: Credentials): void {
  changeIds(() => {
    if (groups) process.setgroups?.(groups);
    if (gid !== undefined) process.setgid?.(gid);
    if (uid !== undefined) process.setuid?.(uid);
  });
  if (uid !== undefined) mustNotRegainRoot(uid);
}

/** Root directory, ids and working directory: a home on NFS may be closed to root, and one that the user may not enter fails. */
export function settle({ chroot: root, credentials, cwd }: DaemonPlan): void {
  changeRoot(root);
  dropPrivileges(credentials);
  chdir(cwd);
}
