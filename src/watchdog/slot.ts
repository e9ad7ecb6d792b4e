// One worker's place: what it does now, and when something has to happen to it. It starts and signals processes only by
// what it is given.
import { NO_HISTORY, type RestartHistory } from './restart-policy.js';

/** What a worker says to its watchdog, a byte each. */
export const SAYS = { ready: 1, alive: 2, large: 3 } as const;

/** A process that a slot has. */
export interface Running {
  pid: number;
  keeperPid: number;
  /** Where it speaks. */
  statusFd: number;
  startedAt: number;
  isReady: boolean;
  lastBeat: number;
  /** When it must be ready, at the latest. */
  readyBy: number;
  /** It was asked to end: when it will be killed. */
  killAt: number;
  /** Why it was. */
  reason?: 'heartbeat' | 'ready' | 'maxRss' | 'stop';
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
}

export function emptySlot(index: number, startAt: number): Slot {
  return { index, running: undefined, startAt, history: NO_HISTORY, restarts: 0 };
}

/** The next moment at which something has to be done about a slot. */
export function deadlineOf({ running, startAt }: Slot, heartbeatMs: number | undefined): number {
  if (!running) return startAt;
  if (running.orphaned) return Infinity;
  const beat = heartbeatMs !== undefined && running.isReady ? running.lastBeat + heartbeatMs : Infinity;
  return Math.min(running.killAt, running.isReady ? Infinity : running.readyBy, beat);
}
