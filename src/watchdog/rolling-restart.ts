// Replaces the workers one after the other: the next one is asked to end when all the others are ready.
import type { Pool } from './pool.js';
import type { Running } from './slot.js';

export class RollingRestart {
  #left: Running[] = [];

  /** Those that run now; one that is under way goes on as it is. */
  begin(pool: Pool): void {
    if (this.#left.length === 0) this.#left = pool.workers();
  }

  /** The one to be asked now. What has ended by itself meanwhile has been replaced. */
  next(pool: Pool): Running | undefined {
    if (this.#left.length === 0 || !pool.isSettled()) return undefined;
    const present = new Set(pool.workers());
    this.#left = this.#left.filter((running) => present.has(running) && !running.reason);
    return this.#left.shift();
  }
}
