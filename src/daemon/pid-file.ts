import { closeSync, fstatSync, ftruncateSync, type Stats, unlinkSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { atfork } from '../posix/atfork.js';
import * as validate from '../posix/validate.js';
import { checkFolder } from './folder.js';
import { isAt, type Locked, lock, openForReading, readPid } from './pid-lock.js';

/** Options of {@link PidFile.acquire}. */
export interface PidFileOptions {
  /** The file's mode, whatever the umask is: writable by its owner and nobody else. @default 0o644 */
  mode?: number;
}

/**
 * Who could write to it could take its lock, and pass for the daemon; and when it was left behind, the owner has to be able
 * to open it again.
 */
export function checkMode(name: string, mode: unknown): asserts mode is number {
  validate.integer(name, mode, 0, 0o777);
  if ((mode & 0o622) === 0o600) return;
  throw validate.invalidValue(
    name,
    'readable and writable by the owner, and writable by nobody else',
    `0o${mode.toString(8)}`,
  );
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
    checkMode('options.mode', mode);
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
    // Without rights to the folder, or in another root, what is left is ours all the same, through the descriptor.
    if (!this.#remove()) ftruncateSync(this.fd);
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

  #remove(): boolean {
    try {
      if (!isAt(this.path, this.#file)) return false;
      unlinkSync(this.path);
      return true;
    } catch {
      return false;
    }
  }

  #write(): void {
    writeSync(this.fd, `${process.pid}\n`, 0);
  }
}
