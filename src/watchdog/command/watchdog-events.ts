import type { SignalName } from '../../posix/signal-number.js';
import type { EndReason } from './events.js';

/** A worker of a Watchdog, by its number from 1 on. */
export interface CommandWorker {
  worker: number;
  pid: number;
}

/** A worker's end. */
export interface CommandExit extends CommandWorker {
  exitCode: number | null;
  signal: SignalName | null;
  /** Why it was ended, if it didn't end by itself; 'supervisor': somebody has killed the native process that watches it. */
  reason?: EndReason | 'supervisor';
  /** How many processes that it had started were still there, and have been killed. */
  leftProcesses: number;
  /** In how many ms another one takes its place; null: none will. */
  restartsInMs: number | null;
}

/** A start that failed. */
export interface StartFailure {
  worker: number;
  /** A system error: ENOENT, EACCES, … with `path` and, as `syscall`, the step that failed. */
  error: NodeJS.ErrnoException;
  restartsInMs: number | null;
}

/** A worker that isn't replaced any more. */
export interface GivenUp {
  worker: number;
  /** Its last end; both null if it could not be started. */
  exitCode: number | null;
  signal: SignalName | null;
  /** Why it could not be started. */
  error?: NodeJS.ErrnoException;
  /** In words. */
  reason: string;
}

/** The end of all: that of the last worker. */
export type WatchdogEnd = { exitCode: number; signal: null } | { exitCode: null; signal: SignalName };

/** What a Watchdog emits. */
export interface WatchdogEvents {
  /** A worker's program runs. */
  spawn: [CommandWorker];
  /** A worker is ready, see `readiness`. */
  ready: [CommandWorker];
  /** A worker has ended, and all that it had started. */
  exit: [CommandExit];
  /** A worker could not be started. */
  failed: [StartFailure];
  /** A worker that has taken the place of one that ended runs. */
  restart: [CommandWorker & { restarts: number }];
  /** A worker isn't replaced any more: see `maxRestarts`. */
  giveUp: [GivenUp];
  /** No worker is left, and none will come. */
  stopped: [WatchdogEnd];
}
