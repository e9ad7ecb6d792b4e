import type { SupervisorEvent } from './events.js';
import type { CommandWorker } from './watchdog-events.js';

/** Waits until each of some workers has been replaced by one that is ready. */
export class RollingRestart {
  readonly done: Promise<void>;
  readonly #old: Map<number, number>;
  #resolve!: () => void;
  #reject!: (reason: Error) => void;

  constructor(running: readonly CommandWorker[]) {
    this.#old = new Map(running.map(({ worker, pid }) => [worker, pid]));
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (this.#old.size === 0) this.#resolve();
  }

  hear(event: SupervisorEvent): void {
    if (event.kind === 'ready' && this.#old.get(event.worker) !== event.pid) this.#settle(event.worker);
    if (event.kind !== 'exit' && event.kind !== 'failed') return;
    if (event.next === 'givenUp') this.fail(`worker ${event.worker} was given up`);
    if (event.next === 'finished') this.#settle(event.worker);
  }

  /** @param why it won't come to an end */
  fail(why: string): void {
    this.#reject(Object.assign(new Error(`The restart was not completed: ${why}`), { code: 'ERR_RESTART_FAILED' }));
  }

  #settle(worker: number): void {
    this.#old.delete(worker);
    if (this.#old.size === 0) this.#resolve();
  }
}
