// One worker's place: what it does now, and when something has to happen to it. It starts and signals processes only by
// what it is given.
import type { PidFd } from '../native.js';
import type { Ended, WorkerExit } from './options.js';
import { NO_HISTORY, type RestartHistory } from './restart-policy.js';

/** What a worker says to its watchdog; and what its keeper does, when it ends by itself: 'keeperEnds'. */
export type Saying = 'ready' | 'alive' | 'large' | 'resize' | 'restartAll' | 'keeperEnds';

/** The order is known to the keeper, too (native/keeper/guard.cc). */
const SAYINGS: readonly Saying[] = ['ready', 'alive', 'large', 'resize', 'restartAll', 'keeperEnds'];

/** One record each, which a pipe never divides: 4 bytes, a number above what is said. */
export function recordOf(saying: Saying, number = 0): Uint32Array {
  return new Uint32Array([number * 256 + SAYINGS.indexOf(saying)]);
}

/** As many whole records as there are. */
export function sayingsOf(bytes: Uint8Array): { saying: Saying | undefined; number: number }[] {
  // A copy of its own: a Buffer may be a part of a larger one.
  const whole = Uint8Array.from(bytes.subarray(0, bytes.length - (bytes.length % 4)));
  const records = new Uint32Array(whole.buffer);
  return Array.from(records, (record) => ({ saying: SAYINGS[record % 256], number: Math.floor(record / 256) }));
}

/** A process that a slot has. */
export interface Running {
  pid: number;
  /** The worker, which is its keeper's to reap: its pid may be another process's before we hear of its end. None if it had
   * ended before it could be opened. */
  handle: PidFd | undefined;
  /** A child of the watchdog: the pid stays its own until it is reaped. */
  keeperPid: number;
  /** Where it speaks. */
  statusFd: number;
  startedAt: number;
  /** The same in ms since 1970. */
  startedAtDate: number;
  isReady: boolean;
  lastBeat: number;
  /** When it is ready by having stayed up so long; Infinity: it tells. */
  upAt: number;
  /** When it must be ready, at the latest. */
  readyBy: number;
  /** It was asked to end: when its keeper is told to kill it. */
  killAt: number;
  /** The keeper was told: when it is killed itself, being stopped, perhaps. */
  giveUpAt: number;
  /** Why it was. */
  reason?: WorkerExit['reason'];
  /** The worker has ended: its keeper still has to end what is left, and then itself. */
  ended: boolean;
  /** The keeper has done all, and is just ending: it isn't killed. */
  keeperSaidEnd: boolean;
  /** The keeper has been reaped, and the worker is ours: the keeper was killed. */
  orphaned: boolean;
}

export interface Slot {
  index: number;
  running: Running | undefined;
  /** When it is to be started; Infinity: not at all. */
  startAt: number;
  history: RestartHistory;
  restarts: number;
  lastExit?: Ended & { endedAt: number };
  givenUp: boolean;
  /** There are to be fewer: it goes when its worker has ended. */
  retired: boolean;
}

export function emptySlot(index: number, startAt: number): Slot {
  return { index, running: undefined, startAt, history: NO_HISTORY, restarts: 0, givenUp: false, retired: false };
}

/** The next moment at which something has to be done about a slot. */
export function deadlineOf({ running, startAt }: Slot, heartbeatMs: number | undefined): number {
  if (!running) return startAt;
  if (running.orphaned) return Infinity;
  return Math.min(running.killAt, running.giveUpAt, running.upAt, failsAt(running, heartbeatMs));
}

/** When a worker that says nothing more has failed. One that was asked to end may take the time that it was given. */
export function failsAt({ reason, isReady, readyBy, lastBeat }: Running, heartbeatMs = Infinity): number {
  if (reason) return Infinity;
  return isReady ? lastBeat + heartbeatMs : readyBy;
}
