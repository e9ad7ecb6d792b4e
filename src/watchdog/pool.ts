// The workers' places, and how many there are to be. Starts and signals nothing.
import { deadlineOf, emptySlot, type Running, type Slot } from './slot.js';

/** A worker that has been forked in advance and hasn't a place yet is kept in a slot of its own. */
const SPARE_INDEX = 0;
/** One that ended before it was needed has been killed: not to be followed at once by the next, and the next. */
const SPARE_PAUSE_MS = 1000;

export class Pool {
  readonly #slots: Slot[];
  readonly spare: Slot;

  constructor(workers: number, hasSpare: boolean, now: number) {
    this.#slots = Array.from({ length: workers }, (_, i) => emptySlot(i + 1, now));
    this.spare = emptySlot(SPARE_INDEX, hasSpare ? now : Infinity);
  }

  slots(): readonly Slot[] {
    return this.#slots.toSorted((a, b) => a.index - b.index);
  }

  /** All that run, the spare one too. */
  running(): Running[] {
    return [...this.#slots, this.spare].flatMap(({ running }) => running ?? []);
  }

  /** The workers that still have their keeper. */
  workers(): Running[] {
    return this.running().filter((running) => !running.orphaned && running !== this.spare.running);
  }

  /**
   * Whose keeper that child is; or worker, if that has lost its keeper. Until then a worker's pid is its keeper's to free, and may
   * be that of another child by now.
   */
  slotOf(child: number): Slot | undefined {
    const ours = (running: Running) => (running.orphaned ? running.pid : running.keeperPid);
    return [...this.#slots, this.spare].find(({ running }) => running && ours(running) === child);
  }

  allReady(): boolean {
    return this.#slots.every(({ running }) => running?.isReady);
  }

  /** No worker runs, and none will. */
  isOver(): boolean {
    return this.#slots.every(({ running, startAt }) => !running && startAt === Infinity);
  }

  /** One whose worker is to be started now. */
  due(now: number): Slot | undefined {
    return this.#slots.find(({ running, startAt }) => !running && startAt <= now);
  }

  /** Every worker that there is to be is there and ready, and none is on its way out. */
  isSettled(): boolean {
    return this.#slots.every(({ running, startAt }) =>
      running ? running.isReady && !running.ended && !running.reason : startAt === Infinity,
    );
  }

  /** Whether the next worker can be forked in advance: not as long as one that is needed now would have to wait for it. */
  spareIsDue(now: number): boolean {
    const settled = this.#slots.every(({ running, startAt }) =>
      running ? running.isReady && !running.ended : startAt > now,
    );
    return settled && !this.spare.running && this.spare.startAt <= now;
  }

  /** The spare one, if it is there and well, no longer spare. */
  takeSpare(now: number): Running | undefined {
    const { running } = this.spare;
    if (!running?.handle?.alive() || running.reason || running.ended || running.orphaned) return undefined;
    this.spare.running = undefined;
    this.spare.startAt = now;
    return running;
  }

  spareEnded(now: number): void {
    const asked = this.spare.running?.reason === 'stop';
    this.spare.running = undefined;
    this.spare.startAt = asked ? now : now + SPARE_PAUSE_MS;
  }

  /** The next moment at which something has to be done about any of them. */
  deadline(now: number, heartbeatMs: number | undefined, mayStart: boolean): number {
    const waiting = this.#slots.filter(({ running }) => running || mayStart);
    const spareAt = this.spare.running || this.spare.startAt > now ? deadlineOf(this.spare, undefined) : Infinity;
    return Math.min(spareAt, ...waiting.map((slot) => deadlineOf(slot, heartbeatMs)));
  }

  /** Whoever continues the watchdog may have stopped its workers, too. */
  forgiveSilence(now: number): void {
    for (const running of this.running()) if (running.lastBeat !== Infinity) running.lastBeat = now;
  }

  startNone(): void {
    for (const slot of [...this.#slots, this.spare]) slot.startAt = Infinity;
  }

  /** How many there are to be. */
  get size(): number {
    return this.#slots.filter(({ retired }) => !retired).length;
  }

  add(now: number): void {
    const retired = this.#slots.find((slot) => slot.retired);
    if (retired) {
      retired.retired = false;
      return;
    }
    let index = 1;
    while (this.#slots.some((slot) => slot.index === index)) index++;
    this.#slots.push(emptySlot(index, now));
  }

  /** Takes the last place away, but never the only one; returns the worker that has to end for that. */
  retire(): Running | undefined {
    const kept = this.#slots.filter(({ retired }) => !retired).sort((a, b) => a.index - b.index);
    const slot = kept.at(-1) as Slot;
    if (kept.length === 1) return undefined;
    slot.retired = true;
    slot.startAt = Infinity;
    if (!slot.running) this.remove(slot);
    return slot.running;
  }

  remove(slot: Slot): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
  }
}
