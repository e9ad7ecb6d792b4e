import { native, type PidFd } from '../native.js';
import { signalNumber } from './signal-number.js';
import * as validate from './validate.js';
import { toWaitStatus, type WaitStatus } from './wait-status.js';

function closedError(pid: number): Error {
  const error = new Error(`The handle of process ${pid} was closed`);
  return Object.assign(error, { name: 'AbortError', code: 'ABORT_ERR' });
}

/**
 * One process, held by a pidfd: after it has ended the handle stands for nothing, even when its pid belongs to another
 * process by then. Made by `openProcess`. A handle that is dropped is closed by the garbage collector.
 *
 * @see pidfd_open(2)
 */
export class ProcessHandle {
  /** The pid that the process has or had. */
  readonly pid: number;
  readonly #pidFd: PidFd;
  #ending: Promise<WaitStatus | null> | undefined;
  #abort: ((reason: Error) => void) | undefined;

  /** @internal */
  constructor(pid: number) {
    this.pid = pid;
    this.#pidFd = new native.PidFd(pid);
  }

  /**
   * Whether the process runs. A zombie, which has ended and only waits to be reaped, does not.
   *
   * @throws EBADF after close()
   */
  get alive(): boolean {
    return this.#pidFd.alive();
  }

  /**
   * Sends a signal to this process and never to another one.
   *
   * @param signal name or number; 0 sends nothing and only checks that one could
   * @throws ESRCH once it has been reaped; EPERM if the caller may not; EBADF after close(); ERR_INVALID_ARG_VALUE for
   * an unknown name
   * @see pidfd_send_signal(2)
   */
  signal(signal: NodeJS.Signals | (string & {}) | number): void {
    this.#pidFd.signal(signalNumber('signal', signal, { allowZero: true }));
  }

  /**
   * Resolves when the process has terminated: by event, and the event loop is kept alive until then, but see unref(). All calls share
   * one answer.
   *
   * - A child of this process is reaped, and the promise resolves to how it ended.
   * - A child that child_process or cluster started in this thread is left to Node, which emits its 'exit' event as
   *   usual; the status is only looked at.
   * - For any other process, and for a child that somebody else reaped first, it resolves to null: the kernel tells a
   *   process's status to its parent alone.
   *
   * In a Worker no child is reaped, because it may be one that Node started in another thread; `waitpid(pid)` does it
   * where it isn't. For the same reason wait for what a Worker's child_process started in that Worker.
   *
   * Rejects with an AbortError (`code` ABORT_ERR) when close() comes first, and with EBADF after close().
   *
   * @see waitid(2)
   */
  wait(): Promise<WaitStatus | null> {
    this.#ending ??= new Promise((resolve, reject) => {
      this.#abort = reject;
      this.#pidFd.watch((error, status) => {
        if (error) reject(error);
        else resolve(status && toWaitStatus(status));
      });
    });
    return this.#ending;
  }

  /** From now on a pending wait() doesn't keep the event loop alive. */
  unref(): this {
    this.#pidFd.keepAlive(false);
    return this;
  }

  /** Undoes unref(). */
  ref(): this {
    this.#pidFd.keepAlive(true);
    return this;
  }

  /** Gives the pidfd back. A pending wait() rejects. Closing twice does nothing. */
  close(): void {
    this.#pidFd.close();
    // Without effect on a promise that is settled already.
    this.#abort?.(closedError(this.pid));
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a handle of a process, which keeps meaning that process also when its pid is used again later. Between knowing
 * a pid and opening it that can have happened already, unless the pid is that of an unreaped child.
 *
 * @param pid at least 1
 * @throws ESRCH if there is no such process; EINVAL for a thread that doesn't lead its process; EMFILE, ENFILE; ENOSYS
 * before Linux 5.3 (wait() needs 5.4), EPERM where a sandbox forbids the call
 * @see pidfd_open(2)
 */
export function openProcess(pid: number): ProcessHandle {
  validate.pid('pid', pid, 1);
  return new ProcessHandle(pid);
}
