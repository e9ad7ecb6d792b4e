// What is known of each worker, from what the supervisor tells.
import { residentBytes } from '../../posix/memory.js';
import type { Ended } from '../options.js';
import type { PoolMember } from '../status.js';
import type { SupervisorEvent } from './events.js';

/** A worker of a Watchdog. */
export interface WorkerStatus extends PoolMember {
  /** How long it has been up, in ms. */
  uptimeMs?: number;
  /** Why its last start failed. */
  error?: NodeJS.ErrnoException;
}

interface Known {
  state: PoolMember['state'];
  pid: number | undefined;
  startedAt: number;
  upSince: number;
  /** How often it was started. */
  starts: number;
  lastExit: WorkerStatus['lastExit'];
  error: NodeJS.ErrnoException | undefined;
}

export class Workers {
  readonly #known = new Map<number, Known>();

  constructor(count: number) {
    for (let index = 1; index <= count; index++) this.#of(index);
  }

  /** What a supervisor tells, in its order. */
  apply(event: Exclude<SupervisorEvent, { kind: 'stopped' }>): void {
    const known = this.#of(event.worker);
    switch (event.kind) {
      case 'spawn':
        known.state = 'starting';
        known.pid = event.pid;
        known.startedAt = Date.now();
        known.upSince = performance.now();
        known.starts++;
        known.error = undefined;
        break;
      case 'ready':
        known.state = 'running';
        break;
      case 'exit':
        known.pid = undefined;
        known.lastExit = { ...event.ended, endedAt: Date.now() };
        known.state = typeof event.next === 'number' ? 'waiting' : event.next;
        break;
      case 'failed':
        known.error = event.error;
        known.state = typeof event.next === 'number' ? 'waiting' : event.next;
        break;
    }
  }

  /** There are to be fewer workers: this one was one too many. */
  remove(index: number): void {
    this.#known.delete(index);
  }

  /** How often a worker was started again. */
  restarts(index: number): number {
    return Math.max(0, this.#of(index).starts - 1);
  }

  lastExit(index: number): Ended | undefined {
    return this.#of(index).lastExit;
  }

  /** Those that run. */
  running(): { worker: number; pid: number }[] {
    return [...this.#known].flatMap(([worker, { pid }]) => (pid === undefined ? [] : [{ worker, pid }]));
  }

  /** @param stopping whether all of them have been asked to end */
  status(stopping: boolean): WorkerStatus[] {
    const sorted = [...this.#known].sort(([a], [b]) => a - b);
    return sorted.map(([index, known]) => {
      const told = described(known);
      const state = stopping && known.pid !== undefined ? 'stopping' : told.state;
      return { index, ...told, state, restarts: this.restarts(index) };
    });
  }

  #of(index: number): Known {
    const known = this.#known.get(index) ?? {
      state: 'starting',
      pid: undefined,
      startedAt: 0,
      upSince: 0,
      starts: 0,
      lastExit: undefined,
      error: undefined,
    };
    this.#known.set(index, known);
    return known;
  }
}

function described({
  state,
  pid,
  startedAt,
  upSince,
  lastExit,
  error,
}: Known): Omit<WorkerStatus, 'index' | 'restarts'> {
  const more = { ...(lastExit ? { lastExit } : {}), ...(error ? { error } : {}) };
  if (pid === undefined) return { state, ...more };
  const rssBytes = residentBytes(pid);
  const uptimeMs = Math.round(performance.now() - upSince);
  return { state, pid, startedAt, uptimeMs, ...(rssBytes === undefined ? {} : { rssBytes }), ...more };
}
