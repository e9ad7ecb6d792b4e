import { closeSync, constants, fchmodSync, fchownSync, fstatSync, lstatSync, openSync, unlinkSync } from 'node:fs';
import { coded } from './errors.js';

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

/**
 * Opens a log to append to, and makes it if it isn't there.
 *
 * @throws ERR_LOG_FILE_UNSAFE for what is neither a file nor a device, and for a link that another user made; ENOENT,
 * ENOTDIR, EACCES, EROFS, ENOSPC, EISDIR, ENAMETOOLONG
 */
export function openLog(path: string, style: LogFileStyle): OpenLog {
  const made = create(path, style);
  if (made !== undefined) return { fd: made, created: true };
  const fd = openExisting(path);
  const file = fstatSync(fd);
  if (file.isFile() || file.isCharacterDevice()) return { fd, created: false };
  closeSync(fd);
  throw unsafeLog(path, 'it is neither a file nor a device');
}
