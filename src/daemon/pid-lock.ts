// Opening and locking pid files, where others may have put something else.
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  unlinkSync,
} from 'node:fs';
import { native } from '../native.js';
import { startTime } from '../posix/start-time.js';
import { alreadyRunning, unsafePidFile } from './errors.js';

const { O_CREAT, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const MAX_PID = 2 ** 22;
// Every attempt but the last meets a file that somebody replaced or removed at that moment.
const ATTEMPTS = 100;

/**
 * Opens what is at `path` and nothing that it points to; never waits for the other end of a FIFO.
 *
 * @throws ERR_PID_FILE_UNSAFE if it is a link
 */
function openHere(path: string, flags: number, mode?: number): number {
  try {
    return openSync(path, flags | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw unsafePidFile(path, 'it is a symbolic link, or there is a loop of them on the way');
    throw error;
  }
}

/** Whether the path still leads to that file. */
export function isAt(path: string, file: Stats): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  return there?.ino === file.ino && there.dev === file.dev;
}

/** Refuses a file that another user prepared: to be written to in their place, or to name a process of their choice. */
function checkOwn(path: string, file: Stats): void {
  if (!file.isFile()) throw unsafePidFile(path, 'it is no regular file');
  if (file.uid !== 0 && file.uid !== process.geteuid?.()) {
    throw unsafePidFile(path, `it belongs to another user (uid ${file.uid})`);
  }
  if (file.nlink > 1) throw unsafePidFile(path, `it has ${file.nlink} names: writing to it would change another file`);
}

/** The number in an open file; null if there is none. */
export function readPid(fd: number): number | null {
  const bytes = Buffer.alloc(32);
  const length = readSync(fd, bytes, 0, bytes.length, 0);
  const [, digits] = /^\s*(\d+)\s*(?:\n|$)/.exec(bytes.toString('latin1', 0, length)) ?? [];
  const pid = Number(digits);
  return pid >= 1 && pid <= MAX_PID ? pid : null;
}

function refuseSecond(path: string, fd: number): never {
  const pid = readPid(fd);
  throw alreadyRunning(path, pid, pid === null ? undefined : startTime(pid)?.date);
}

export interface Locked {
  fd: number;
  file: Stats;
}

/**
 * Locks what is at `path`; makes it if it isn't there.
 *
 * @returns undefined if it isn't there any more, or isn't the same, now that it is locked
 * @throws ERR_ALREADY_RUNNING
 */
function tryLock(path: string, ifRead: (path: string, file: Stats) => Locked | undefined): Locked | undefined {
  const fd = openHere(path, O_RDWR | O_CREAT, 0o600);
  let locked: Locked | undefined;
  try {
    const file = fstatSync(fd);
    checkOwn(path, file);
    if (native.lockForWriting(fd)) {
      if (isAt(path, file)) locked = { fd, file };
    } else if (native.lockForReading(fd)) {
      // Ours beside the stranger's: from now on nobody can become the daemon by this file.
      return ifRead(path, file);
    } else {
      refuseSecond(path, fd);
    }
    return locked;
  } finally {
    if (!locked) closeSync(fd);
  }
}

/**
 * What to do about a file that somebody holds a *read* lock on: nobody's but a stranger's, who may read the file and wants
 * to keep the daemon from starting. A new file takes its place; its maker holds the lock of `PATH.new`, which no stranger
 * can read, so that of many who try at once one does.
 */
function replaceLockedByReader(path: string, stale: Stats): Locked | undefined {
  const next = `${path}.new`;
  // Whoever had its lock gave it back this very moment.
  const locked = tryLock(next, () => undefined);
  if (!locked) return undefined;
  let replaced = false;
  try {
    if (isAt(path, stale)) {
      renameSync(next, path);
      replaced = true;
    } else {
      unlinkSync(next);
    }
    return replaced ? locked : undefined;
  } finally {
    if (!replaced) closeSync(locked.fd);
  }
}

export function lock(path: string, mode: number): Locked {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const locked = tryLock(path, replaceLockedByReader);
    if (!locked) continue;
    const { fd, file } = locked;
    try {
      // The number of one that is dead would from now on look like the holder's.
      if (file.size > 0) ftruncateSync(fd);
      if ((file.mode & 0o7777) !== mode) fchmodSync(fd, mode);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return locked;
  }
  throw unsafePidFile(path, 'it is replaced or locked by somebody else all the time');
}

/** Opens a pid file to be looked at; undefined if there is none. */
export function openForReading(path: string): number | undefined {
  try {
    return openHere(path, O_RDONLY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
