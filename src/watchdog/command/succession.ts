import type { WaitStatus } from '../../posix/wait-status.js';
import { LeftCgroups } from '../cgroup.js';
import { decide, NO_HISTORY, type RestartHistory } from '../restart-policy.js';
import type { Next, SupervisorEvent } from './events.js';
import type { CommandPlan } from './plan.js';
import { Supervisor } from './supervisor.js';
import type { WatchdogEnd } from './watchdog-events.js';

export const KILLED: WatchdogEnd = { exitCode: null, signal: 'SIGKILL' };

export interface SuccessionListener {
  /** What a supervisor tells. */
  hear(event: SupervisorEvent): void;
  /** Somebody has killed the supervisor, and by that the workers. */
  lost(next: Next, reason: string): void;
  /** The end. */
  over(end: WatchdogEnd): void;
}

/** One supervisor after the other: the next one when somebody has killed the last, at the pace of the restart policy. */
export class Succession {
  readonly #plan: CommandPlan;
  readonly #listener: SuccessionListener;
  readonly #cgroups: LeftCgroups;
  #supervisor: Supervisor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #history: RestartHistory = NO_HISTORY;
  #workers: number | undefined;
  #referenced = true;
  #stopping = false;
  /** The one that runs has told of a worker. */
  #working = false;
  #told: WatchdogEnd | undefined;

  /** @throws as Supervisor does */
  constructor(plan: CommandPlan, listener: SuccessionListener) {
    this.#plan = plan;
    this.#listener = listener;
    this.#cgroups = new LeftCgroups(plan.cgroup);
    this.#start();
  }

  /** Undefined while there is none. */
  get pid(): number | undefined {
    return this.#supervisor?.pid;
  }

  /** How many workers are wanted. */
  get workers(): number {
    return this.#workers ?? this.#plan.supervision.workers ?? 1;
  }

  set workers(count: number) {
    this.#workers = count;
    this.tell(`workers ${count}`);
  }

  /** Whether the end has been asked for. */
  get stopping(): boolean {
    return this.#stopping;
  }

  tell(line: string): void {
    this.#supervisor?.tell(line);
  }

  signal(signal: NodeJS.Signals): void {
    this.#supervisor?.signal(signal);
  }

  /** From now on nothing is started any more. */
  end(how: 'stop' | 'kill'): void {
    if (how === 'kill') this.#supervisor?.kill();
    // To a supervisor a second `stop` is a `kill`.
    else if (!this.#stopping) this.#supervisor?.stop();
    this.#stopping = true;
    if (!this.#timer) return;
    this.#clearTimer();
    this.#listener.over(KILLED);
  }

  set referenced(on: boolean) {
    this.#referenced = on;
    if (on) {
      this.#supervisor?.ref();
      this.#timer?.ref();
    } else {
      this.#supervisor?.unref();
      this.#timer?.unref();
    }
  }

  /** In a forked child: they are its parent's. */
  leave(): void {
    this.#stopping = true;
    this.#supervisor?.close();
    this.#supervisor = undefined;
    this.#clearTimer();
  }

  #start(): void {
    const supervisor: Supervisor = new Supervisor(
      this.#plan,
      this.#workers,
      this.#cgroups,
      (event) => this.#hear(event),
      (status) => this.#onEnd(supervisor.startedAt, status),
    );
    this.#supervisor = supervisor;
    this.#working = false;
    if (!this.#referenced) supervisor.unref();
  }

  #hear(event: SupervisorEvent): void {
    // One that finds nothing to work with, its log for one, ends without having started anything.
    if (event.kind !== 'stopped') this.#working = true;
    else if (this.#working || this.#stopping) this.#told = event.ended;
    this.#cgroups.sweep();
    this.#listener.hear(event);
  }

  #onEnd(startedAt: number, status: WaitStatus | null): void {
    this.#supervisor = undefined;
    // Its last words are lost if this process was too busy to hear the thousand before them.
    const { exitCode = null } = status ?? {};
    if (!this.#told && this.#working && exitCode !== null) this.#told = { exitCode, signal: null };
    if (this.#told) this.#listener.over(this.#told);
    else this.#replace(startedAt);
  }

  #replace(startedAt: number): void {
    const event = { ending: KILLED, startedAt, now: performance.now(), chance: Math.random() };
    const decision = this.#stopping ? undefined : decide(this.#plan.restart, this.#history, event);
    if (decision?.action === 'restart') {
      this.#history = decision.history;
      this.#timer = setTimeout(() => this.#startAnew(), decision.delayMs);
      if (!this.#referenced) this.#timer.unref();
      this.#listener.lost(decision.delayMs, '');
      return;
    }
    if (decision?.action === 'giveUp') this.#listener.lost('givenUp', `the supervisor was ${decision.reason}`);
    else this.#listener.lost('finished', '');
    this.#listener.over(KILLED);
  }

  #startAnew(): void {
    this.#timer = undefined;
    try {
      this.#start();
    } catch {
      // Out of processes or descriptors for the moment.
      this.#replace(performance.now());
    }
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
