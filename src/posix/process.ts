import { native } from '../native.js';
import * as validate from './validate.js';
import { toWaitStatus, type WaitStatus } from './wait-status.js';

const INT32_MAX = 0x7fffffff;

export interface WaitpidOptions {
  /** Return null at once instead of waiting when nothing is there to report. Default: false. */
  noHang?: boolean;
  /** Report children that a signal stopped as well. Default: false. */
  untraced?: boolean;
}

/**
 * Waits until a child ends, and reaps it. The event loop stands still meanwhile: for waiting by event see
 * `openProcess(pid).wait()`.
 *
 * What child_process or cluster started belongs to Node: its 'exit' event never comes once somebody else has reaped
 * it. So -1, 0 and groups are only for programs without such children.
 *
 * @param pid one child; -1 for any; 0 for any of the caller's process group; below -1 for any of the group -pid
 * @returns null only with `noHang`, when there are such children and none has anything to report
 * @throws ECHILD if there is no such child, or none left
 * @see wait4(2)
 */
export function waitpid(pid: number, options?: { noHang?: false; untraced?: boolean }): WaitStatus;
export function waitpid(pid: number, options?: WaitpidOptions): WaitStatus | null;
export function waitpid(pid: number, options: WaitpidOptions = {}): WaitStatus | null {
  validate.pid('pid', pid, -INT32_MAX);
  validate.object('options', options);
  const { noHang = false, untraced = false } = options;
  validate.boolean('options.noHang', noHang);
  validate.boolean('options.untraced', untraced);
  const status = native.waitpid(pid, noHang, untraced);
  return status && toWaitStatus(status);
}

/**
 * Ends the process at once: no 'exit' event, no finally, no flushing of what a stream still holds. That is the way out
 * of a forked child that must not run its parent's handlers.
 *
 * @param status the exit code, 0 to 255
 * @see _exit(2)
 */
export function _exit(status: number): never {
  validate.integer('status', status, 0, 255);
  return native.exit(status);
}
