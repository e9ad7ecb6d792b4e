// The watchdog of live-forked workers. Its event loop stands still from the call on: what is in it, timers, sockets and all
// that the script has set up, belongs to the workers, each of which is a copy of the process as it was at the call. So is
// every replacement. What the watchdog does, it does here, between waits in the kernel.
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { currentDaemon } from '../daemon/daemon.js';
import { reasonOf } from '../daemon/errors.js';
import { native } from '../native.js';
import { letGoOfConnections } from '../posix/parent-handles.js';
import { setChildSubreaper } from '../posix/prctl.js';
import { _exit } from '../posix/process.js';
import { Caretaker } from './caretaker.js';
import { LeftCgroups, usableCgroup } from './cgroup.js';
import { complain, explained } from './complain.js';
import { endAs } from './end-as.js';
import { Ends } from './ends.js';
import { type Guarantee, guaranteeOf } from './guarantee.js';
import { type Ended, endingOf, type WatchdogPlan } from './options.js';
import { Pool } from './pool.js';
import { children, closeWorker, reapAny, show, tell, tellGroup } from './processes.js';
import { RollingRestart } from './rolling-restart.js';
import { HELD, IGNORED, meaningOf } from './signals.js';
import type { Running, Slot } from './slot.js';
import { Starts } from './starts.js';
import { StatusBoard, statusOf } from './status.js';
import { Strays } from './strays.js';
import { Terminal } from './terminal.js';
import { currentWorker, type Worker } from './worker.js';

const { SIGCONT, SIGHUP, SIGKILL, SIGTSTP } = constants.signals;

/** One that wakes so much later than it wanted to stood still. */
const FROZEN_MS = 100;

class Supervisor {
  readonly #plan: WatchdogPlan;
  readonly #pool: Pool;
  readonly #ends: Ends;
  readonly #caretaker: Caretaker;
  readonly #strays: Strays;
  readonly #rolling = new RollingRestart();
  readonly #board = new StatusBoard();
  readonly #guarantee: Guarantee;
  readonly #cgroups: LeftCgroups;
  readonly #starts: Starts;
  readonly #terminal = new Terminal();
  /** Of the watchdog that this one is a worker of. */
  readonly #outer = currentWorker();
  #nextBeatAt = -Infinity;

  constructor(plan: WatchdogPlan) {
    this.#plan = plan;
    this.#pool = new Pool(plan.workers, plan.standby, performance.now());
    this.#ends = new Ends(plan, this.#pool);
    this.#caretaker = new Caretaker(plan, {
      ready: () => this.#onReady(),
      resize: (workers) => this.#resize(workers),
      restartAll: () => this.#rolling.begin(this.#pool),
    });
    this.#strays = new Strays(plan.killTree);
    const cgroup = plan.killTree ? usableCgroup() : undefined;
    this.#guarantee = guaranteeOf(plan.killTree, cgroup);
    this.#cgroups = new LeftCgroups(cgroup);
    this.#starts = new Starts(plan, this.#pool, this.#ends, this.#caretaker, {
      guarantee: this.#guarantee,
      cgroup,
      boardFd: this.#board.fd,
    });
  }

  /** Returns in workers only. */
  run(): Worker {
    letGoOfConnections();
    native.holdSignals(HELD, IGNORED);
    setChildSubreaper(true);
    show(`${this.#plan.title}: watchdog`);
    this.#board.show(statusOf(this.#pool, this.#guarantee));
    try {
      for (;;) {
        const worker = this.#strays.isCleaning() ? undefined : this.#starts.due();
        if (worker) return worker;
        if (this.#pool.isOver()) this.#end();
        const next = this.#ends.stopping ? undefined : this.#rolling.next(this.#pool);
        if (next) this.#caretaker.ask(next, 'restart');
        this.#board.show(statusOf(this.#pool, this.#guarantee));
        this.#beat();
        this.#await();
        this.#enforceDeadlines();
      }
    } catch (error) {
      if (this.#starts.isWorker()) this.#starts.letGo();
      // What comes after the call is for workers alone.
      else this.#abandon(error);
      throw error;
    }
  }

  #abandon(error: unknown): never {
    try {
      complain(`${this.#plan.title}: the watchdog has failed: ${explained(error)}`);
      currentDaemon()?.release();
    } finally {
      _exit(1);
    }
  }

  /** Ends, once nothing is left. */
  #end(): void {
    this.#starts.dismissSpare();
    if (this.#pool.running().length > 0 || this.#strays.isCleaning()) return;
    currentDaemon()?.release();
    endAs(this.#ends.last);
  }

  #beat(): void {
    const now = performance.now();
    if (this.#nextBeatAt <= now) this.#nextBeatAt = now + (this.#outer?.beat() ?? Infinity);
  }

  #await(): void {
    const now = performance.now();
    const cleansUntil = this.#strays.isCleaning() ? this.#strays.until : Infinity;
    const due = this.#pool.deadline(now, this.#plan.heartbeat?.timeoutMs, cleansUntil === Infinity);
    const deadline = Math.min(due, cleansUntil, this.#nextBeatAt);
    const ms = deadline === Infinity ? -1 : Math.max(0, Math.ceil(deadline - now));
    const fds = this.#pool
      .running()
      .flatMap(({ statusFd, handle, ended }) => [
        ...(statusFd === -1 ? [] : [statusFd]),
        ...(handle && !ended ? [handle.descriptor()] : []),
      ]);
    const { signals, fromTerminal, readable } = native.awaitEvents(fds, ms);
    // A freezer (cgroups(7), a virtual machine's pause) tells nobody that it has let go; the workers were frozen with us.
    if (performance.now() > Math.max(now, deadline) + FROZEN_MS) this.#pool.forgiveSilence(performance.now());
    for (const running of this.#pool.running()) {
      if (readable.includes(running.statusFd)) this.#caretaker.hear(running);
      if (!running.ended && running.handle && readable.includes(running.handle.descriptor()))
        this.#caretaker.bury(running);
    }
    for (const signal of new Set(fromTerminal)) this.#onSignal(signal, true);
    for (const signal of new Set(signals)) this.#onSignal(signal, false);
  }

  #onReady(): void {
    if (!this.#pool.allReady()) return;
    currentDaemon()?.ready();
    this.#outer?.ready();
  }

  /** The workers aren't in this process's group: what the terminal sends that, they get from here. */
  #onSignal(signal: number, fromTerminal: boolean): void {
    const meaning = meaningOf(signal);
    if (meaning === 'childEnded') this.#reap();
    else if (meaning === 'stop') this.#stop(fromTerminal ? signal : undefined);
    else if (meaning === 'pause') this.#pause();
    else if (signal === SIGHUP && this.#terminal.hasHungUp(fromTerminal)) this.#hangUp();
    else this.#passOn(signal, fromTerminal || signal === SIGCONT);
  }

  #pause(): void {
    this.#passOn(SIGTSTP, true);
    native.stopAsTerminalDoes();
    // It needn't have been stopped, and nobody would continue it then.
    this.#passOn(SIGCONT, true);
  }

  /** Workers that die of it must not be replaced. It may come twice. */
  #hangUp(): void {
    if (this.#ends.stopping) return;
    this.#passOn(SIGHUP, true);
    this.#stop();
  }

  #passOn(signal: number, toGroup: boolean): void {
    if (signal === SIGHUP) this.#reopenLogs();
    if (signal === SIGCONT) this.#pool.forgiveSilence(performance.now());
    for (const { keeperPid, handle } of this.#pool.workers()) {
      if (toGroup) tellGroup(keeperPid, handle, signal);
      else tell(handle, signal);
    }
  }

  #reopenLogs(): void {
    const daemon = currentDaemon();
    if (!daemon) return;
    // It would wake with the old ones.
    this.#starts.dismissSpare();
    try {
      daemon.reopenLogs();
    } catch (error) {
      complain(`the log can't be opened anew: ${reasonOf(error)}`);
    }
  }

  #stop(terminalSignal?: number): void {
    const now = performance.now();
    const demand = this.#ends.stop(now);
    if (demand === 'same') return;
    this.#pool.startNone();
    this.#starts.dismissSpare();
    for (const running of this.#pool.workers()) {
      if (demand === 'impatient') running.killAt = now;
      else this.#caretaker.ask(running, 'stop', terminalSignal);
    }
  }

  #resize(workers: number): void {
    if (this.#ends.stopping) return;
    while (this.#pool.size < workers) this.#pool.add(performance.now());
    while (this.#pool.size > Math.max(1, workers)) {
      const running = this.#pool.retire();
      if (running) this.#caretaker.ask(running, 'stop');
    }
  }

  #enforceDeadlines(): void {
    const now = performance.now();
    for (const running of this.#pool.running()) this.#caretaker.enforceDeadline(running, now);
  }

  #reap(): void {
    for (let status = reapAny(); status; status = reapAny()) {
      this.#strays.forget(status.pid);
      const slot = this.#pool.slotOf(status.pid);
      if (slot?.running?.keeperPid === status.pid) this.#cgroups.keeperEnded(status.pid);
      if (slot?.running) this.#onEnd(slot, slot.running, endingOf(status));
    }
    this.#cgroups.sweep();
    const running = this.#pool.running();
    const known = new Set(running.flatMap(({ keeperPid, pid }) => [keeperPid, pid]));
    this.#strays.kill(
      known,
      running.some(({ orphaned }) => orphaned),
    );
  }

  #onEnd(slot: Slot, running: Running, ending: Ended): void {
    // A keeper that was killed leaves the worker to us, dying; unless it has changed its user, which unties it.
    const isKeeper = !running.orphaned;
    if (isKeeper && this.#caretaker.wasKeeperKilled(running)) this.#strays.keeperWasKilled();
    if (isKeeper && children().includes(running.pid)) {
      running.orphaned = true;
      tell(running.handle, SIGKILL);
      return;
    }
    closeWorker(running.handle);
    if (running.statusFd !== -1) closeSync(running.statusFd);
    if (slot === this.#pool.spare) this.#pool.spareEnded(performance.now());
    else this.#ends.ended(slot, running, ending);
  }
}

/** Makes this process the watchdog; returns in each worker. */
export function supervise(plan: WatchdogPlan): Worker {
  return new Supervisor(plan).run();
}
