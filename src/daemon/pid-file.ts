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
  writeSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { native } from '../native.js';
import { atfork } from '../posix/atfork.js';
import { startTime } from '../posix/start-time.js';
import * as validate from '../posix/validate.js';
import { alreadyRunning, unsafePidFile } from './errors.js';
import { checkFolder } from './folder.js';

const { O_CREAT, O_NOCTTY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const MAX_PID = 2 ** 22;
// Every attempt but the last meets a file that somebody replaced or removed at that moment.
const ATTEMPTS = 100;

/** Options of {@link PidFile.acquire}. */
export interface PidFileOptions {
  /** The file's mode, whatever the umask is. @default 0o644 */
  mode?: number;
}

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

interface Locked {
  fd: number;
  file: Stats;
}

/** What an attempt came to: ours, held by a stranger's read lock, or not there any more when the lock was ours. */
type Attempt = Locked | 'read' | 'gone';

/** @throws ERR_ALREADY_RUNNING */
function tryLock(path: string): { outcome: Attempt; file: Stats } {
  const fd = openHere(path, O_RDWR | O_CREAT, 0o600);
  let outcome: Attempt = 'gone';
  try {
    const file = fstatSync(fd);
    checkOwn(path, file);
    if (native.lockForWriting(fd)) {
      if (isAt(path, file)) outcome = { fd, file };
    } else if (native.isLockedForWriting(fd)) {
      refuseSecond(path, fd);
    } else {
      outcome = 'read';
    }
    return { outcome, file };
  } finally {
    if (typeof outcome === 'string') closeSync(fd);
  }
}

/**
 * What to do about a file that somebody holds a *read* lock on: nobody's but a stranger's, who may read the file and wants
 * to keep the daemon from starting. A new file takes its place; its maker holds the lock of `PATH.new`, which no stranger
 * can read, so that of many who try at once one does.
 */
function replaceLockedByReader(path: string, stale: Stats): Locked | undefined {
  const next = `${path}.new`;
  const { outcome } = tryLock(next);
  if (typeof outcome === 'string') return undefined;
  if (isAt(path, stale)) {
    renameSync(next, path);
    return outcome;
  }
  unlinkSync(next);
  closeSync(outcome.fd);
  return undefined;
}

function lock(path: string, mode: number): Locked {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const { outcome, file } = tryLock(path);
    const locked = outcome === 'read' ? replaceLockedByReader(path, file) : outcome;
    if (!locked || locked === 'gone') continue;
    try {
      if ((locked.file.mode & 0o7777) !== mode) fchmodSync(locked.fd, mode);
    } catch (error) {
      closeSync(locked.fd);
      throw error;
    }
    return locked;
  }
  throw unsafePidFile(path, 'it is replaced or locked by somebody else all the time');
}

/**
 * A pid file, held: the lock on it is the truth about whether its daemon runs, the number in it only a hint.
 *
 * The lock is a write lock of the open file description (F_OFD_SETLK): it ends with the process, however that ends, so a
 * file left behind by a crash, empty or full of garbage blocks no start; nobody who may only read the file can take it; and
 * no other code of the process loses it by opening and closing the file. A forked child lets go of it at once, programs
 * that are started don't get it. NFS before version 4 has no such lock.
 *
 * @see fcntl_locking(2)
 */
export class PidFile {
  /** Its absolute path. */
  readonly path: string;
  /** The descriptor that holds the lock; -1 when it was let go of. */
  fd: number;
  readonly #file: Stats;
  readonly #forgetFork: () => void;
  readonly #atExit = () => this.release();

  private constructor(path: string, { fd, file }: Locked) {
    this.path = path;
    this.fd = fd;
    this.#file = file;
    this.#forgetFork = atfork({ child: () => this.close() });
    process.on('exit', this.#atExit);
  }

  /**
   * Locks the file, makes it if need be, and writes the caller's pid and a newline into it. It is removed when the process
   * exits in an orderly way, or by release().
   *
   * @param path relative to the working directory now
   * @throws ERR_ALREADY_RUNNING with `pid` and `startedAt` if another process holds it; nothing was changed then
   * @throws ERR_PID_FILE_UNSAFE for a link (the file, or a folder on the way that neither root nor the caller made), for
   * what is no regular file, belongs to another user or has several names. In a folder that other users can write a
   * warning is emitted: they can keep a daemon from starting there.
   * @throws ENOENT if the folder isn't there, ENOTDIR, EACCES, EROFS, ENOSPC, EDQUOT, EMFILE, ENAMETOOLONG; with EISDIR,
   * `path` is a folder
   */
  static acquire(path: string, options: PidFileOptions = {}): PidFile {
    const pidFile = PidFile.lock(path, options);
    try {
      pidFile.#write();
    } catch (error) {
      pidFile.release();
      throw Object.assign(error as Error, { path: pidFile.path });
    }
    return pidFile;
  }

  /**
   * Only locks it, and leaves the number to whoever gets the descriptor.
   *
   * @internal
   */
  static lock(path: string, options: PidFileOptions = {}): PidFile {
    validate.path('path', path);
    validate.options('options', options, ['mode']);
    const { mode = 0o644 } = options;
    validate.integer('options.mode', mode, 0, 0o777);
    const absolute = resolve(path);
    checkFolder(absolute);
    return new PidFile(absolute, lock(absolute, mode));
  }

  /**
   * The number that a pid file has in it; whether that process still runs, and still is the same one, only findDaemon()
   * can tell.
   *
   * @returns null if there is no file, or none but a number is what it lacks
   * @throws ERR_PID_FILE_UNSAFE for a link; EACCES, EMFILE
   */
  static read(path: string): number | null {
    validate.path('path', path);
    const fd = openForReading(path);
    if (fd === undefined) return null;
    try {
      return fstatSync(fd).isFile() ? readPid(fd) : null;
    } finally {
      closeSync(fd);
    }
  }

  /** Removes the file and lets go of the lock. Where the folder may not be written any more, the file is left, but empty. */
  release(): void {
    if (this.fd === -1) return;
    try {
      if (isAt(this.path, this.#file)) unlinkSync(this.path);
    } catch {
      // Without rights to the folder, or in another root, what is left is ours all the same, through the descriptor.
      ftruncateSync(this.fd);
    }
    this.close();
  }

  /** Lets go of the lock and leaves the file as it is. */
  close(): void {
    if (this.fd === -1) return;
    process.off('exit', this.#atExit);
    this.#forgetFork();
    const fd = this.fd;
    this.fd = -1;
    closeSync(fd);
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #write(): void {
    const line = `${process.pid}\n`;
    // First written, then cut: a reader never finds it empty when it had a number.
    writeSync(this.fd, line, 0);
    ftruncateSync(this.fd, line.length);
  }
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
