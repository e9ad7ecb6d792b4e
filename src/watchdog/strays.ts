// What a killed keeper leaves behind comes to the watchdog, which is a subreaper: it has lost its worker, and has to go. What
// else comes, from whatever was there before or, in the first process of a container, from anywhere, is only reaped.
import { children, isKilled } from './processes.js';

const PATIENCE_MS = 1000;

export class Strays {
  readonly #areKilled: boolean;
  // Those that the script had started before, or that came to us otherwise: not ours to end.
  readonly #others = new Set(children());
  #keeperLost = false;
  // They may hold a lock or a port that the next worker wants, and have children, perhaps, that the watchdog must not leave
  // to init.
  #until = -Infinity;

  /** @param areKilled else they are what is to go on when its worker has ended */
  constructor(areKilled: boolean) {
    this.#areKilled = areKilled;
  }

  /** Until when nothing may be started, in ms of performance.now(): there are some left. */
  get until(): number {
    return this.#until;
  }

  isCleaning(): boolean {
    return this.#until > performance.now();
  }

  keeperWasKilled(): void {
    this.#keeperLost = this.#areKilled;
    this.#until = performance.now() + PATIENCE_MS;
  }

  forget(pid: number): void {
    this.#others.delete(pid);
  }

  /**
   * Kills those that have come up by now.
   *
   * @param known the keepers, and the workers that have lost theirs
   * @param moreToCome one of those workers hasn't been reaped: its children are still to come
   */
  kill(known: ReadonlySet<number>, moreToCome: boolean): void {
    if (!this.isCleaning()) this.#keeperLost = false;
    const strays = children().filter((pid) => !known.has(pid) && !this.#others.has(pid));
    for (const pid of strays) {
      if (!this.#keeperLost || !isKilled(pid)) this.#others.add(pid);
    }
    if (moreToCome || strays.some((pid) => !this.#others.has(pid))) return;
    this.#keeperLost = false;
    this.#until = -Infinity;
  }
}
