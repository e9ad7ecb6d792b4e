// What follows from the end of a worker: whether and when the next one takes its place, and who is told.
import { complain, explained } from './complain.js';
import type { Ended, WatchdogPlan, WorkerExit } from './options.js';
import type { Pool } from './pool.js';
import { type Decision, decide, type Ending, type Event } from './restart-policy.js';
import type { Running, Slot } from './slot.js';

const SAME_STOP_MS = 200;

export class Ends {
  readonly #plan: WatchdogPlan;
  readonly #pool: Pool;
  #last: Ended = { exitCode: 0, signal: null };
  #stoppingSince: number | undefined;

  constructor(plan: WatchdogPlan, pool: Pool) {
    this.#plan = plan;
    this.#pool = pool;
  }

  /** No worker is replaced any more. */
  get stopping(): boolean {
    return this.#stoppingSince !== undefined;
  }

  /** What a demand to stop means. timeout(1) and npm send it twice, to the child and then to its group. */
  stop(now: number): 'first' | 'same' | 'impatient' {
    if (this.#stoppingSince === undefined) {
      this.#stoppingSince = now;
      return 'first';
    }
    return now - this.#stoppingSince < SAME_STOP_MS ? 'same' : 'impatient';
  }

  /** How the last worker has ended. */
  get last(): Ended {
    return this.#last;
  }

  /** A worker couldn't be started. */
  failed(slot: Slot, startedAt: number, spawnError: NodeJS.ErrnoException): void {
    this.#last = { exitCode: 1, signal: null };
    this.#replace(slot, startedAt, { spawnError }, undefined);
  }

  ended(slot: Slot, running: Running, ending: Ended): void {
    this.#last = ending;
    slot.running = undefined;
    slot.lastExit = { ...ending, endedAt: Date.now() };
    const decision = this.#replace(slot, running.startedAt, ending, running.reason);
    this.#report({
      worker: slot.index,
      pid: running.pid,
      exitCode: ending.exitCode,
      signal: ending.signal,
      ...(running.reason ? { reason: running.reason } : {}),
      restartsInMs: decision.action === 'restart' ? decision.delayMs : null,
    });
  }

  #replace(slot: Slot, startedAt: number, ending: Ending, reason: Running['reason']): Decision {
    const now = performance.now();
    const decision = this.#decide(slot, { ending, startedAt, now, chance: Math.random() }, reason);
    if (decision.action === 'restart') {
      slot.history = decision.history;
      slot.startAt = now + decision.delayMs;
      slot.restarts++;
    } else if (slot.retired) {
      this.#pool.remove(slot);
    }
    if (decision.action === 'giveUp') {
      slot.givenUp = true;
      complain(`${this.#plan.title}: worker ${slot.index} is given up: ${decision.reason}`);
    }
    return decision;
  }

  #decide({ retired, history }: Slot, event: Event, reason: Running['reason']): Decision {
    if (this.stopping || retired) return { action: 'finish' };
    // It was one too many, and then no longer; or is replaced on purpose.
    if (reason === 'stop' || reason === 'restart') return { action: 'restart', delayMs: 0, history };
    // What the watchdog ends for its health has failed, however it ends.
    return decide(this.#plan.restart, history, { ...event, failed: reason !== undefined });
  }

  #report(exit: WorkerExit): void {
    try {
      this.#plan.onExit(exit);
    } catch (error) {
      complain(`${this.#plan.title}: onExit has thrown: ${explained(error)}`);
    }
  }
}
