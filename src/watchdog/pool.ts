// The workers' places, and how many there are to be. Starts and signals nothing.
import { deadlineOf, emptySlot, type Running, type Slot } from './slot.js';

export class Pool {
  readonly #slots: Slot[];

  constructor(workers: number, now: number) {
    this.#slots = Array.from({ length: workers }, (_, i) => emptySlot(i + 1, now));
  }

  running(): Running[] {
    return this.#slots.flatMap(({ running }) => running ?? []);
  }

  /** Those that still have their keeper. */
  kept(): Running[] {
    return this.running().filter(({ orphaned }) => !orphaned);
  }

  /** Whose worker or keeper that is. */
  slotOf(pid: number): Slot | undefined {
    return this.#slots.find(({ running }) => running?.keeperPid === pid || running?.pid === pid);
  }

  allReady(): boolean {
    return this.#slots.every(({ running }) => running?.isReady);
  }

  /** Nothing runs, and nothing will. */
  isOver(): boolean {
    return this.#slots.every(({ running, startAt }) => !running && startAt === Infinity);
  }

  /** Those whose worker is to be started now. */
  due(now: number): Slot[] {
    return this.#slots.filter(({ running, startAt }) => !running && startAt <= now);
  }

  /** The next moment at which something has to be done about any of them. */
  deadline(heartbeatMs: number | undefined, mayStart: boolean): number {
    const waiting = this.#slots.filter(({ running }) => running || mayStart);
    return Math.min(Infinity, ...waiting.map((slot) => deadlineOf(slot, heartbeatMs)));
  }

  startNone(): void {
    for (const slot of this.#slots) slot.startAt = Infinity;
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
