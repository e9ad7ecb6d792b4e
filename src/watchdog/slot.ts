// One worker's place: what it does now, and when something has to happen to it. It starts and signals processes only by
// what it is given.
import type { PidFd } from '../native.js';
import { NO_HISTORY, type RestartHistory } from './restart-policy.js';

/** What a worker says to its watchdog, a byte each. */
export const SAYS = { ready: 1, alive: 2, large: 3 } as const;

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
  reason?: 'heartbeat' | 'ready' | 'maxRss' | 'stop';
  /** The worker has ended: its keeper still has to end what is left, and then itself. */
  ended: boolean;
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
  /** There are to be fewer: it goes when its worker has ended. */
  retired: boolean;
}

export function emptySlot(index: number, startAt: number): Slot {
  return { index, running: undefined, startAt, history: NO_HISTORY, restarts: 0, retired: false };
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
