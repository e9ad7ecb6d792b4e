// The process that daemonize() was called in, once the daemon is on its way: it waits for it, and ends. None of the
// script's code runs in it any more, but for its 'exit' handlers if the start fails.
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { isatty } from 'node:tty';
import { native } from '../native.js';
import { execve } from '../posix/exec.js';
import { _exit, waitpid } from '../posix/process.js';
import type { WaitStatus } from '../posix/wait-status.js';
import { keeperPath } from './keeper.js';
import { PidFile } from './pid-file.js';
import type { DaemonPlan } from './plan.js';
import { receive, type StarterEnd } from './report.js';

const { SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGTERM } = constants.signals;

// What went through the terminal's raw mode, or through listeners, ends the starter now: nobody is there to listen, and the
// daemon learns of its end.
function becomeInterruptible(): void {
  if (isatty(0) && process.stdin.isRaw) process.stdin.setRawMode(false);
  native.defaultSignals([SIGHUP, SIGINT, SIGQUIT, SIGTERM]);
}

/** Reaps whatever ends until a certain process has. @returns undefined if that isn't ours to wait for */
function reap(pid: number): WaitStatus | undefined {
  try {
    for (;;) {
      const status = waitpid(-1);
      if (status.pid === pid) return status;
    }
  } catch {
    return undefined;
  }
}

function howItEnded(daemon: number): string {
  const status = reap(daemon);
  if (!status) return 'the daemon ended before it was ready';
  if (status.signal) return `the daemon was killed by ${status.signal} before it was ready`;
  return `the daemon exited with code ${status.exitCode} before it was ready`;
}

/** What a killed daemon can't remove itself. */
function removePidFile({ pidFile, pidFileMode }: DaemonPlan): void {
  if (pidFile === undefined) return;
  try {
    PidFile.lock(pidFile, { mode: pidFileMode }).release();
  } catch {
    // Somebody else's by now, or never made.
  }
}

function fail({ name }: DaemonPlan, reason: string): never {
  writeSync(2, `${name}: ${reason}\n`);
  process.exit(1);
}

/** The first process of a container can't exit without everything in it being killed: it becomes a small init instead. */
function leave(daemon: number): never {
  if (process.pid !== 1) _exit(0);
  execve(keeperPath(), ['posix-daemon-init', 'init', `${daemon}`]);
}

/**
 * Waits until the daemon is ready and ends, with 0; or with 1 and the reason on standard error.
 *
 * @param daemon its pid; this process is its parent, as a subreaper, or will be when the process between has ended
 */
export function standBy(plan: DaemonPlan, end: StarterEnd, daemon: number): never {
  becomeInterruptible();
  for (const report of receive(end.reportFd, performance.now() + plan.readyTimeoutMs)) {
    if (report === undefined) {
      // An unreaped child of this process: the pid can't be another one's.
      native.kill(daemon, SIGKILL);
      reap(daemon);
      removePidFile(plan);
      fail(plan, `the daemon was not ready within ${plan.readyTimeoutMs} ms and was killed`);
    }
    if ('ready' in report) leave(daemon);
    reap(daemon);
    fail(plan, report.failed);
  }
  const reason = howItEnded(daemon);
  removePidFile(plan);
  fail(plan, reason);
}
