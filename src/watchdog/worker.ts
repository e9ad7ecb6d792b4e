import { closeSync, writeSync } from 'node:fs';
import { atfork } from '../posix/atfork.js';
import type { Guarantee } from './guarantee.js';
import type { WatchdogPlan } from './options.js';
import { whenReachable } from './port.js';
import type { Address } from './readiness.js';
import { SAYS } from './slot.js';

const RSS_INTERVAL_MS = 1000;

/** A worker of a watchdog, in its own process. Made by watchdog(). */
export class Worker {
  /** Which one, from 1 on; also in the environment, as WORKER_INDEX. */
  readonly index: number;
  readonly pid = process.pid;
  /** What kills all that this worker has started, when it ends. */
  readonly guarantee: Guarantee;
  readonly #timers: NodeJS.Timeout[] = [];
  #fd: number;
  #ready = false;
  #watch: (() => void) | undefined;

  /** @internal */
  constructor(index: number, fd: number, { readiness, heartbeat, maxRssBytes }: WatchdogPlan, guarantee: Guarantee) {
    this.index = index;
    this.guarantee = guarantee;
    this.#fd = fd;
    // What it forks itself is no worker.
    atfork({ child: () => this.#close() });
    if (readiness === 'immediate') this.ready();
    else if (typeof readiness === 'object' && 'port' in readiness) this.#watchPort(readiness);
    if (heartbeat) this.#every(heartbeat.intervalMs, () => this.#say(SAYS.alive));
    if (maxRssBytes !== undefined) {
      this.#every(RSS_INTERVAL_MS, () => {
        if (process.memoryUsage.rss() > maxRssBytes) this.#say(SAYS.large);
      });
    }
  }

  /** Tells the watchdog that this worker does its work. Calling it twice does nothing. */
  ready(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#say(SAYS.ready);
  }

  #watchPort(address: Required<Address>): void {
    this.#watch = whenReachable(address, () => this.ready());
  }

  #every(ms: number, call: () => void): void {
    this.#timers.push(setInterval(call, ms).unref());
  }

  #say(what: number): void {
    if (this.#fd === -1) return;
    try {
      writeSync(this.#fd, Uint8Array.of(what));
    } catch {
      // The watchdog is just dying, and this process with it.
    }
  }

  #close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#watch?.();
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
  }
}
