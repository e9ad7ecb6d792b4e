import { closeSync, writeSync } from 'node:fs';
import { atfork } from '../posix/atfork.js';
import * as validate from '../posix/validate.js';
import type { Guarantee } from './guarantee.js';
import { MAX_WORKERS, type WatchdogPlan } from './options.js';
import { whenReachable } from './port.js';
import type { Address } from './readiness.js';
import { recordOf, type Saying } from './slot.js';
import { type PoolStatus, readBoard } from './status.js';

const RSS_INTERVAL_MS = 1000;

export interface WorkerPlace {
  index: number;
  /** The pipe to the watchdog. */
  statusFd: number;
  /** What it tells of the pool. */
  boardFd: number;
  guarantee: Guarantee;
}

let current: Worker | undefined;

/** The worker that this process is. */
export function currentWorker(): Worker | undefined {
  return current;
}

/** A worker of a watchdog, in its own process. Made by watchdog(). */
export class Worker {
  /** Which one, from 1 on; also in the environment, as WORKER_INDEX. */
  readonly index: number;
  readonly pid = process.pid;
  /** What kills all that this worker has started, when it ends. */
  readonly guarantee: Guarantee;
  readonly #timers: NodeJS.Timeout[] = [];
  #fd: number;
  #boardFd: number;
  #ready = false;
  readonly #beatMs: number;
  #watch: (() => void) | undefined;

  /** @internal */
  constructor(
    { index, statusFd, boardFd, guarantee }: WorkerPlace,
    { readiness, heartbeat, maxRssBytes }: WatchdogPlan,
  ) {
    this.index = index;
    this.guarantee = guarantee;
    this.#beatMs = heartbeat?.intervalMs ?? Infinity;
    current = this;
    this.#fd = statusFd;
    this.#boardFd = boardFd;
    // What it forks itself is no worker.
    atfork({ child: () => this.#close() });
    if (readiness === 'immediate') this.ready();
    else if (typeof readiness === 'object' && 'port' in readiness) this.#watchPort(readiness);
    if (heartbeat) this.#every(heartbeat.intervalMs, () => this.beat());
    if (maxRssBytes !== undefined) {
      this.#every(RSS_INTERVAL_MS, () => {
        if (process.memoryUsage.rss() > maxRssBytes) this.#say('large');
      });
    }
  }

  /** Tells the watchdog that this worker does its work. Calling it twice does nothing. */
  ready(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#say('ready');
  }

  /**
   * Gives the heartbeat, if there is to be one. A worker that has become a watchdog itself does so from its wait: its event
   * loop stands still.
   *
   * @internal
   * @returns after how many ms the next one is due
   */
  beat(): number {
    if (this.#beatMs !== Infinity) this.#say('alive');
    return this.#beatMs;
  }

  #watchPort(address: Required<Address>): void {
    this.#watch = whenReachable(address, () => this.ready());
  }

  #every(ms: number, call: () => void): void {
    this.#timers.push(setInterval(call, ms).unref());
  }

  /**
   * Changes how many workers there are. The watchdog does so when it comes to it: the last ones are asked to end, or more are
   * started.
   *
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE; EBADF in a child of the worker; EAGAIN when the watchdog has been stopped
   * for long
   */
  resize(workers: number): void {
    validate.integer('workers', workers, 1, MAX_WORKERS);
    writeSync(this.#open(this.#fd), recordOf('resize', workers));
  }

  /**
   * Has all workers replaced one after the other, this one too: the next one is asked to end, by `stopSignal`, when all others
   * are ready. Each begins again as the process was at the call of watchdog(). One that is under way goes on as it is.
   *
   * @throws EBADF in a child of the worker; EAGAIN when the watchdog has been stopped for long
   */
  restartAll(): void {
    writeSync(this.#open(this.#fd), recordOf('restartAll'));
  }

  /**
   * The watchdog, and all of its workers, as it has seen them last.
   *
   * @throws EBADF in a child of the worker; EAGAIN if the watchdog was stopped just while it was writing it down, or
   * has no memory for it
   */
  status(): PoolStatus {
    return readBoard(this.#open(this.#boardFd));
  }

  #open(fd: number): number {
    if (fd !== -1) return fd;
    throw Object.assign(new Error('EBADF: this process was forked from a worker and is none, worker'), {
      code: 'EBADF',
      syscall: 'worker',
    });
  }

  #say(what: Saying): void {
    if (this.#fd === -1) return;
    try {
      writeSync(this.#fd, recordOf(what));
    } catch {
      // The watchdog is just dying, and this process with it.
    }
  }

  #close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#watch?.();
    current = undefined;
    for (const fd of [this.#fd, this.#boardFd]) if (fd !== -1) closeSync(fd);
    this.#fd = -1;
    this.#boardFd = -1;
  }
}
