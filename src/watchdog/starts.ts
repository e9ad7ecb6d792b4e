// The starts of workers: in a slot that is due, by the spare one if it is there, and the spare one's own.
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { keeperPath } from '../daemon/keeper.js';
import { native } from '../native.js';
import type { KeptForkOptions } from '../posix/fork.js';
import type { Caretaker } from './caretaker.js';
import { complain, explained } from './complain.js';
import type { Ends } from './ends.js';
import type { Guarantee } from './guarantee.js';
import { keeperFlags } from './keeper-flags.js';
import { type Launched, launch } from './launch.js';
import type { WatchdogPlan } from './options.js';
import type { Pool } from './pool.js';
import { show, tell } from './processes.js';
import type { Running, Slot } from './slot.js';
import { Worker } from './worker.js';

const { SIGCONT } = constants.signals;
/** As open(2) has it, for the processors that this runs on; Node doesn't name it. */
const O_PATH = 0o10000000;

/** What all workers of a watchdog have in common. */
export interface Surroundings {
  guarantee: Guarantee;
  /** The folder for their groups. */
  cgroup: string | undefined;
  boardFd: number;
}

export class Starts {
  readonly #plan: WatchdogPlan;
  readonly #pool: Pool;
  readonly #ends: Ends;
  readonly #caretaker: Caretaker;
  readonly #fork: Omit<KeptForkOptions, 'fd'>;
  readonly #surroundings: Surroundings;
  readonly #pid = process.pid;

  constructor(plan: WatchdogPlan, pool: Pool, ends: Ends, caretaker: Caretaker, surroundings: Surroundings) {
    this.#plan = plan;
    this.#pool = pool;
    this.#ends = ends;
    this.#caretaker = caretaker;
    this.#surroundings = surroundings;
    const flags = keeperFlags(plan, surroundings.cgroup);
    const onHookError = (error: unknown) =>
      complain(`${plan.title}: a hook of atfork() has thrown: ${explained(error)}`);
    const keeper = keeperPath();
    const title = `${plan.title}: keeper`;
    // An upgrade of the package takes the file away, or puts one in its place that takes other flags.
    this.#fork = { keeper, keeperFd: openSync(keeper, O_PATH), title, flags, onHookError };
  }

  /**
   * Starts one that has to be by now, or the spare one; returns in a worker. One at a time: there may be many, and a signal must not
   * have to wait for all of them.
   */
  due(): Worker | undefined {
    const now = performance.now();
    const slot = this.#pool.due(now);
    if (slot) return this.#start(slot);
    return this.#pool.spareIsDue(now) && !this.#pool.isOver() ? this.#startSpare(now) : undefined;
  }

  #start(slot: Slot): Worker | undefined {
    const startedAt = performance.now();
    slot.startAt = Infinity;
    let launched: Running | Launched;
    try {
      launched = this.#takeSpare(slot.index, startedAt) ?? launch(this.#fork);
    } catch (error) {
      // A hook of atfork() has thrown: the script, whose it is, goes on in the worker.
      if (this.isWorker()) throw error;
      this.#ends.failed(slot, startedAt, error as NodeJS.ErrnoException);
      return undefined;
    }
    if (!('keeperPid' in launched)) return this.#becomeWorker(slot.index, launched.statusFd);
    slot.running = launched;
    this.#caretaker.begin(launched, startedAt);
    this.#endUnwatched(launched);
    return undefined;
  }

  /** It wakes as the worker of that index. */
  #takeSpare(index: number, now: number): Running | undefined {
    const spare = this.#pool.takeSpare(now);
    if (!spare) return undefined;
    native.giveStandby(index);
    tell(spare.handle, SIGCONT);
    return spare;
  }

  /** Returns in the worker only, when it has a place. */
  #startSpare(now: number): Worker | undefined {
    try {
      const launched = launch({ ...this.#fork, standbyTitle: `${this.#plan.title}: standby` });
      if (!('keeperPid' in launched)) return this.#becomeWorker(launched.index as number, launched.statusFd);
      this.#pool.spare.running = launched;
      this.#endUnwatched(launched);
    } catch (error) {
      if (this.isWorker()) throw error;
      // Nobody waits for it: the next one that is needed is forked when it is, and tells what is wrong.
      this.#pool.spareEnded(now);
    }
    return undefined;
  }

  /** One that could never be asked to end, nor be given a place. */
  #endUnwatched(running: Running): void {
    if (!running.handle) this.#caretaker.endKeeper(running);
  }

  dismissSpare(): void {
    const { running } = this.#pool.spare;
    if (!running || running.reason || running.orphaned) return;
    running.reason = 'stop';
    this.#caretaker.endKeeper(running);
  }

  isWorker(): boolean {
    return native.getpid() !== this.#pid;
  }

  #becomeWorker(index: number, statusFd: number): Worker {
    show(`${this.#plan.title}: worker ${index}`);
    process.env.WORKER_INDEX = `${index}`;
    this.letGo();
    const { boardFd, guarantee } = this.#surroundings;
    return new Worker({ index, statusFd, boardFd, guarantee }, this.#plan);
  }

  /** In a worker: what is the watchdog's isn't left in it. */
  letGo(): void {
    for (const { statusFd, handle } of this.#pool.running()) {
      if (statusFd !== -1) closeSync(statusFd);
      handle?.close();
    }
    closeSync(this.#fork.keeperFd);
    native.letGoOfSignals();
  }
}
