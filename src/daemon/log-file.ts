import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  openSync,
  type Stats,
  statSync,
  unlinkSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { coded } from './errors.js';
import { folderConcern } from './folder.js';

const { O_APPEND, O_CREAT, O_EXCL, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
const FLAGS = O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK;

/** How log files are made. */
export interface LogFileStyle {
  mode: number;
  uid: number | undefined;
  gid: number | undefined;
}

export interface OpenLog {
  fd: number;
  /** Whether the file was made by this opening. */
  created: boolean;
}

function unsafeLog(path: string, why: string): Error {
  return coded('ERR_LOG_FILE_UNSAFE', `${path}: ${why}`, { path });
}

/** A link is followed if whoever made it could write to the file by themselves. */
function mayFollow(path: string): boolean {
  const { uid } = lstatSync(path);
  return uid === 0 || uid === process.geteuid?.();
}

function openExisting(path: string): number {
  try {
    return openSync(path, FLAGS | O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A FIFO that nobody reads.
    if (code === 'ENXIO') throw unsafeLog(path, 'it is neither a file nor a device');
    if (code !== 'ELOOP') throw error;
    if (!mayFollow(path)) throw unsafeLog(path, 'it is a link made by another user');
    return openSync(path, FLAGS);
  }
}

function create(path: string, { mode, uid, gid }: LogFileStyle): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, FLAGS | O_CREAT | O_EXCL, 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  try {
    // The daemon, too, must be able to open it again when it has dropped root's rights.
    if (process.geteuid?.() === 0) fchownSync(fd, uid ?? 0, gid ?? 0);
    fchmodSync(fd, mode);
    return fd;
  } catch (error) {
    closeSync(fd);
    unlinkSync(path);
    throw error;
  }
}

/** Refuses a file that another user made in order to read what a daemon says, or to say it in its place. */
function checkExisting(path: string, file: Stats, { uid }: LogFileStyle): void {
  if (file.isCharacterDevice()) return;
  if (!file.isFile()) throw unsafeLog(path, 'it is neither a file nor a device');
  const own = [0, process.geteuid?.(), uid, statSync(dirname(path)).uid].includes(file.uid);
  if ((own && file.nlink === 1) || folderConcern(path) === undefined) return;
  throw unsafeLog(
    path,
    own
      ? `it has ${file.nlink} names, in a folder of others`
      : `it belongs to another user (uid ${file.uid}), in a folder of others`,
  );
}

/**
 * Opens a log to append to, and makes it if it isn't there.
 *
 * @throws ERR_LOG_FILE_UNSAFE for what is neither a file nor a device, for a link that another user made, and, in a folder
 * that other users can write, for a file that they made; ENOENT, ENOTDIR, EACCES, EROFS, ENOSPC, EISDIR, ENAMETOOLONG
 */
export function openLog(path: string, style: LogFileStyle): OpenLog {
  const made = create(path, style);
  if (made !== undefined) return { fd: made, created: true };
  const fd = openExisting(path);
  try {
    checkExisting(path, fstatSync(fd), style);
    return { fd, created: false };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
