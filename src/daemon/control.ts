import { closeSync, fstatSync, readdirSync, readFileSync, type Stats } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { native } from '../native.js';
import { openProcess, type ProcessHandle } from '../posix/process-handle.js';
import { signalNumber } from '../posix/signal-number.js';
import { startTime } from '../posix/start-time.js';
import * as validate from '../posix/validate.js';
import { coded, unsafePidFile } from './errors.js';
import { isAt, openForReading, readPid } from './pid-lock.js';

const KILL_AFTER_MS = 10_000;
// More than one is needed only while the daemon is just being replaced by another one.
const ATTEMPTS = 10;
const MAX_TIMEOUT_MS = 0x7fffffff;

/** Options of {@link RunningDaemon.stop}. */
export interface StopOptions {
  /** What asks it to end. @default 'SIGTERM' */
  signal?: NodeJS.Signals | (string & {}) | number;
  /** After how many ms it is killed by SIGKILL; Infinity: never. @default 10000 */
  killAfterMs?: number;
  /** After how many ms waiting is given up, with ETIMEDOUT. @default Infinity */
  timeoutMs?: number;
}

/** What {@link RunningDaemon.stop} took. */
export interface Stopped {
  /** The last signal it was sent before it ended; null if it had ended by itself. */
  signal: string | number | null;
}

function milliseconds(name: string, value: unknown): asserts value is number {
  if (value === Infinity) return;
  validate.integer(name, value, 0, MAX_TIMEOUT_MS);
}

/** Resolves to whether the process ended within the time. */
async function endsWithin(ended: Promise<unknown>, ms: number): Promise<boolean> {
  if (ms === Infinity) return ended.then(() => true);
  const abort = new AbortController();
  try {
    return await Promise.race([ended.then(() => true), delay(ms, false, { signal: abort.signal })]);
  } finally {
    abort.abort();
  }
}

/**
 * A daemon that runs, held by a pidfd: no signal goes to another process that got its pid later. Made by findDaemon().
 */
export class RunningDaemon {
  readonly pid: number;
  /** When its process was started, by the clock of now. */
  readonly startedAt: Date;
  readonly #process: ProcessHandle;
  #waits = 0;

  /** @internal */
  constructor(process: ProcessHandle, startedAt: Date) {
    this.pid = process.pid;
    this.startedAt = startedAt;
    this.#process = process;
  }

  /**
   * Sends it a signal.
   *
   * @throws ESRCH if it has ended; EPERM if the caller may not; ERR_UNKNOWN_SIGNAL
   */
  signal(signal: NodeJS.Signals | (string & {}) | number): void {
    this.#process.signal(signal);
  }

  /**
   * Asks it to end, waits until it has, by event, and kills it if it takes too long.
   *
   * @returns which signal it took
   * @throws EPERM if the caller may not signal it; ETIMEDOUT after `timeoutMs`
   */
  async stop(options: StopOptions = {}): Promise<Stopped> {
    validate.options('options', options, ['signal', 'killAfterMs', 'timeoutMs']);
    const { signal = 'SIGTERM', killAfterMs = KILL_AFTER_MS, timeoutMs = Infinity } = options;
    signalNumber('options.signal', signal);
    milliseconds('options.killAfterMs', killAfterMs);
    milliseconds('options.timeoutMs', timeoutMs);

    if (!this.#signalUnlessGone(signal)) return { signal: null };
    const ended = this.#process.ref().wait();
    if (await endsWithin(ended, Math.min(killAfterMs, timeoutMs))) return { signal };
    if (killAfterMs >= timeoutMs) throw this.#timedOut(timeoutMs);
    if (!this.#signalUnlessGone('SIGKILL')) return { signal };
    if (await endsWithin(ended, timeoutMs - killAfterMs)) return { signal: 'SIGKILL' };
    throw this.#timedOut(timeoutMs);
  }

  /** Resolves when it has ended: by event, and the event loop is kept alive until then. */
  async wait(): Promise<void> {
    this.#waits++;
    try {
      await this.#process.ref().wait();
    } finally {
      this.#waits--;
    }
  }

  /** Gives the pidfd back; a pending wait() rejects with ABORT_ERR. */
  close(): void {
    this.#process.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #signalUnlessGone(signal: NodeJS.Signals | (string & {}) | number): boolean {
    try {
      this.#process.signal(signal);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }

  #timedOut(ms: number): Error {
    // What isn't waited for any more must not keep the event loop alive.
    if (this.#waits === 0) this.#process.unref();
    return coded('ETIMEDOUT', `ETIMEDOUT: process ${this.pid} has not ended within ${ms} ms`, { syscall: 'stop' });
  }
}

interface Seen {
  pid: number | null;
  file: Stats;
}

/** What a locked pid file says; null if it isn't there or not locked, which is to say that its daemon is dead. */
function look(path: string): Seen | null {
  const fd = openForReading(path);
  if (fd === undefined) return null;
  try {
    const file = fstatSync(fd);
    if (!file.isFile()) throw unsafePidFile(path, 'it is no regular file');
    if (!native.isLockedForWriting(fd)) return null;
    if ((file.mode & 0o022) !== 0) throw unsafePidFile(path, 'others than its owner can write to it, and lock it');
    if (file.nlink > 1)
      throw unsafePidFile(path, `it has ${file.nlink} names: it may be the pid file of another daemon`);
    return { pid: readPid(fd), file };
  } finally {
    closeSync(fd);
  }
}

function realUid(pid: number): number | undefined {
  try {
    return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return undefined;
  }
}

/** Nobody may have processes signalled that aren't their own by writing a pid into a file of theirs. */
function checkClaim(path: string, owner: number, pid: number): void {
  if (owner === 0 || owner === process.geteuid?.() || owner === realUid(pid)) return;
  throw unsafePidFile(path, `it belongs to uid ${owner} and names process ${pid}, which doesn't`);
}

/**
 * Whether one of the process's descriptors has the lock. It hasn't if the number is a leftover that a starting daemon is
 * about to overwrite, or one of another pid namespace.
 *
 * @returns undefined where the caller may not look, and therefore hardly signal it
 */
function holdsLock(pid: number, { ino }: Stats): boolean | undefined {
  const folder = `/proc/${pid}/fdinfo`;
  const lock = new RegExp(`^lock:.* OFDLCK .* WRITE .*:${ino} `, 'm');
  try {
    const found = readdirSync(folder).some((fd) => {
      try {
        return lock.test(readFileSync(`${folder}/${fd}`, 'latin1'));
      } catch {
        return false; // closed meanwhile
      }
    });
    // None at all: it is on its way out, its main thread has let go of them, and others that still have to end hold the
    // files. Asked last, for it may have begun to end just now.
    return found || readdirSync(folder).length === 0;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM') return undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return false;
    throw error;
  }
}

/** The process, if it is the one that holds the lock; undefined if it isn't, or isn't any more. */
function open(path: string, { pid, file }: { pid: number; file: Stats }): RunningDaemon | undefined {
  let handle: ProcessHandle;
  try {
    handle = openProcess(pid);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // The second and third for a thread that doesn't lead its process, by the kernel's version: it is no daemon.
    if (code === 'ESRCH' || code === 'EINVAL' || code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const started = startTime(pid);
    checkClaim(path, file.uid, pid);
    const holds = holdsLock(pid, file) ?? look(path)?.pid === pid;
    // Last, for all of this was asked by the number.
    if (holds && isAt(path, file) && handle.alive) return new RunningDaemon(handle, started?.date ?? file.mtime);
  } catch (error) {
    handle.close();
    throw error;
  }
  handle.close();
  return undefined;
}

/**
 * Finds the daemon that holds a pid file.
 *
 * The lock tells whether it runs. The pid in the file is opened as a pidfd, and taken for the daemon only if that process
 * has the lock, as /proc/PID/fdinfo shows; or, where the caller may not look there, if the file is still locked and still
 * says the same.
 *
 * @returns null if there is no such file, or nobody holds its lock: then the daemon is dead, whatever the file says
 * @throws ERR_PID_FILE_UNSAFE if the file is a link, belongs to a user who doesn't own that process, can be written by
 * others than its owner, or has several names
 * @throws ERR_DAEMON_UNKNOWN if the lock is held, but the file doesn't tell by whom: the daemon is just starting, or a
 * process in another pid namespace holds it
 * @throws EACCES, EPERM, EMFILE: what can't be found out is no "not running"
 */
export function findDaemon(pidFile: string): RunningDaemon | null {
  validate.path('pidFile', pidFile);
  const path = resolve(pidFile);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const seen = look(path);
    if (!seen) return null;
    const { pid, file } = seen;
    if (pid === null) continue;
    const found = open(path, { pid, file });
    if (found) return found;
  }
  throw coded('ERR_DAEMON_UNKNOWN', `${path} is locked, but names no process that could hold it`, { path });
}
