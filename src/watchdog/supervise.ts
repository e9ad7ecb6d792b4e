// The watchdog of live-forked workers. Its event loop stands still from the call on: what is in it, timers, sockets and all
// that the script has set up, belongs to the workers, each of which is a copy of the process as it was at the call. So is
// every replacement. What the watchdog does, it does here, between waits in the kernel.
import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { currentDaemon } from '../daemon/daemon.js';
import { reasonOf } from '../daemon/errors.js';
import { keeperPath } from '../daemon/keeper.js';
import { native, type PidFd } from '../native.js';
import { pipe } from '../posix/descriptor.js';
import { forkKept } from '../posix/fork.js';
import { setChildSubreaper } from '../posix/prctl.js';
import { _exit } from '../posix/process.js';
import { setproctitle } from '../posix/title.js';
import { endAs } from './end-as.js';
import { type Ended, endingOf, type WatchdogPlan, type WorkerExit } from './options.js';
import { type Decision, decide, type Ending, type Event } from './restart-policy.js';
import { deadlineOf, emptySlot, failsAt, type Running, SAYS, type Slot } from './slot.js';
import { Worker } from './worker.js';

const { SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGKILL, SIGQUIT, SIGSTOP, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU } =
  constants.signals;
const { SIGUSR1, SIGUSR2, SIGWINCH } = constants.signals;
const ENDING: readonly number[] = [SIGTERM, SIGINT, SIGQUIT];
const PASSED_ON: readonly number[] = [SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH, SIGCONT];
const HELD = [SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU, ...ENDING, ...PASSED_ON];

/** The children of a process with one thread that has any, or of this one, as the kernel lists them. */
function children(of: string | number = 'thread-self'): number[] {
  const path = of === 'thread-self' ? '/proc/thread-self/children' : `/proc/${of}/task/${of}/children`;
  return readFileSync(path, 'latin1').split(' ').filter(Boolean).map(Number);
}

/** A worker, for as long as it is one; undefined if it has ended already. */
function openWorker(pid: number, keeperPid: number): PidFd | undefined {
  let handle: PidFd | undefined;
  try {
    handle = new native.PidFd(pid);
    // Not another process that has its pid by now.
    if (children(keeperPid).includes(pid)) return handle;
  } catch {
    // Told below.
  }
  handle?.close();
  return undefined;
}

/** The title helps, but nothing depends on it: a sandbox may not allow it. */
function show(title: string): void {
  try {
    setproctitle(title);
  } catch {
    // ps goes on showing the command line.
  }
}

function tell({ handle }: Running, signal: number): void {
  try {
    handle?.signal(signal);
  } catch {
    // It has just ended, or become another user: what there is to hear of it comes from its keeper.
  }
}

/** Whether a child could be sent SIGKILL: sudo under an ordinary user can't. */
function isKilled(pid: number): boolean {
  try {
    native.kill(pid, SIGKILL);
    return true;
  } catch {
    return false;
  }
}

function reopenLogs(): void {
  try {
    currentDaemon()?.reopenLogs();
  } catch (error) {
    writeSync(2, `the log can't be opened anew: ${reasonOf(error)}\n`);
  }
}

const KEEPER_PATIENCE_MS = 1000;

class Supervisor {
  readonly #plan: WatchdogPlan;
  readonly #slots: Slot[];
  readonly #keeper = keeperPath();
  readonly #pid = process.pid;
  // Those that the script had started before, or that came to us otherwise: not ours to end.
  readonly #others = new Set(children());
  #keeperLost = false;
  // What a killed keeper left behind may hold a lock or a port that the next worker wants, and has children, perhaps, that
  // the watchdog must not leave to init.
  #cleansUntil = -Infinity;
  #stopping = false;
  #lastEnding: Ended = { exitCode: 0, signal: null };

  constructor(plan: WatchdogPlan) {
    this.#plan = plan;
    this.#slots = Array.from({ length: plan.workers }, (_, i) => emptySlot(i + 1, performance.now()));
  }

  /** Returns in workers only. */
  run(): Worker {
    native.holdSignals(HELD);
    setChildSubreaper(true);
    show(`${this.#plan.title}: watchdog`);
    try {
      for (;;) {
        const worker = this.#startDue();
        if (worker) return worker;
        if (this.#isOver()) {
          currentDaemon()?.release();
          endAs(this.#lastEnding);
        }
        this.#await();
        this.#enforceDeadlines();
      }
    } catch (error) {
      if (this.#isWorker()) this.#letGo();
      // What comes after the call is for workers alone.
      else this.#abandon(error);
      throw error;
    }
  }

  #abandon(error: unknown): never {
    writeSync(2, `${this.#plan.title}: the watchdog has failed: ${error instanceof Error ? error.stack : error}\n`);
    currentDaemon()?.release();
    _exit(1);
  }

  #running(): Running[] {
    return this.#slots.flatMap(({ running }) => running ?? []);
  }

  #isOver(): boolean {
    if (this.#cleansUntil > performance.now()) return false;
    return this.#slots.every(({ running, startAt }) => !running && startAt === Infinity);
  }

  #startDue(): Worker | undefined {
    if (this.#cleansUntil > performance.now()) return undefined;
    for (const slot of this.#slots) {
      if (slot.running || slot.startAt > performance.now()) continue;
      const worker = this.#start(slot);
      if (worker) return worker;
    }
    return undefined;
  }

  #start(slot: Slot): Worker | undefined {
    const startedAt = performance.now();
    slot.startAt = Infinity;
    let ends: readonly number[] = [];
    let forked: ReturnType<typeof forkKept>;
    try {
      ends = pipe({ nonBlocking: true });
      forked = forkKept(this.#keeper, `${this.#plan.title}: keeper`);
    } catch (error) {
      for (const fd of ends) closeSync(fd);
      // A hook of atfork() has thrown: the script, whose it is, goes on in the worker.
      if (this.#isWorker()) throw error;
      this.#replace(slot, startedAt, { spawnError: error as NodeJS.ErrnoException });
      return undefined;
    }
    const [readFd, writeFd] = ends as [number, number];
    if (forked.pid === 0) {
      closeSync(readFd);
      return this.#becomeWorker(slot, writeFd);
    }
    closeSync(writeFd);
    slot.running = {
      ...forked,
      handle: openWorker(forked.pid, forked.keeperPid),
      statusFd: readFd,
      startedAt,
      isReady: false,
      lastBeat: startedAt,
      readyBy: startedAt + this.#plan.readyTimeoutMs,
      killAt: Infinity,
      giveUpAt: Infinity,
      ended: false,
      orphaned: false,
    };
    return undefined;
  }

  #isWorker(): boolean {
    return native.getpid() !== this.#pid;
  }

  #becomeWorker({ index }: Slot, fd: number): Worker {
    show(`${this.#plan.title}: worker ${index}`);
    process.env.WORKER_INDEX = `${index}`;
    this.#letGo();
    return new Worker(index, fd, this.#plan);
  }

  #letGo(): void {
    for (const { statusFd, handle } of this.#running()) {
      if (statusFd !== -1) closeSync(statusFd);
      handle?.close();
    }
    native.letGoOfSignals();
  }

  #await(): void {
    const heartbeatMs = this.#plan.heartbeat?.timeoutMs;
    const now = performance.now();
    const cleaning = this.#cleansUntil > now;
    const due = this.#slots.filter(({ running }) => running || !cleaning).map((slot) => deadlineOf(slot, heartbeatMs));
    const deadline = Math.min(...due, cleaning ? this.#cleansUntil : Infinity);
    const ms = deadline === Infinity ? -1 : Math.max(0, Math.ceil(deadline - now));
    const fds = this.#running().flatMap(({ statusFd, handle, ended }) => [
      ...(statusFd === -1 ? [] : [statusFd]),
      ...(handle && !ended ? [handle.descriptor()] : []),
    ]);
    const { signals, readable } = native.awaitEvents(fds, ms);
    for (const running of this.#running()) {
      if (readable.includes(running.statusFd)) this.#hear(running);
      if (!running.ended && running.handle && readable.includes(running.handle.descriptor())) this.#bury(running);
    }
    for (const signal of new Set(signals)) this.#onSignal(signal);
  }

  #hear(running: Running): void {
    const bytes = Buffer.allocUnsafe(256);
    const length = readSync(running.statusFd, bytes);
    if (length === 0) {
      // It has ended, or let go of its end on purpose: there is nothing more to hear, and it must not wake us all the time.
      closeSync(running.statusFd);
      running.statusFd = -1;
      return;
    }
    const said = bytes.subarray(0, length);
    if (said.includes(SAYS.ready)) this.#onReady(running);
    if (said.includes(SAYS.large)) this.#ask(running, 'maxRss');
    running.lastBeat = performance.now();
  }

  /** The worker has ended, which its keeper may not see, being stopped. */
  #bury(running: Running): void {
    running.ended = true;
    if (!running.orphaned) this.#endKeeper(running);
  }

  /** Has the keeper end the worker, and whatever that has started: also one that is stopped. */
  #endKeeper(running: Running): void {
    running.killAt = Infinity;
    running.readyBy = Infinity;
    running.lastBeat = Infinity;
    running.giveUpAt = performance.now() + KEEPER_PATIENCE_MS;
    native.kill(running.keeperPid, SIGCONT);
  }

  #onReady(running: Running): void {
    running.isReady = true;
    if (this.#slots.every((slot) => slot.running?.isReady)) currentDaemon()?.ready();
  }

  #onSignal(signal: number): void {
    if (signal === SIGCHLD) this.#reap();
    else if (ENDING.includes(signal)) this.#stop();
    else if (signal === SIGTSTP) this.#pause();
    else if (signal === SIGTTIN) this.#resize(1);
    else if (signal === SIGTTOU) this.#resize(-1);
    else this.#passOn(signal);
  }

  #pause(): void {
    native.kill(process.pid, SIGSTOP);
    this.#forgiveSilence();
  }

  /** Whoever continues the watchdog may have stopped its workers, too. */
  #forgiveSilence(): void {
    for (const running of this.#running()) {
      if (running.lastBeat !== Infinity) running.lastBeat = performance.now();
    }
  }

  #passOn(signal: number): void {
    if (signal === SIGHUP) reopenLogs();
    if (signal === SIGCONT) this.#forgiveSilence();
    for (const running of this.#alive()) tell(running, signal);
  }

  #alive(): Running[] {
    return this.#running().filter(({ orphaned }) => !orphaned);
  }

  #stop(): void {
    const again = this.#stopping;
    this.#stopping = true;
    for (const slot of this.#slots) slot.startAt = Infinity;
    for (const running of this.#alive()) {
      if (again) running.killAt = performance.now();
      else this.#ask(running, 'stop');
    }
  }

  #resize(by: 1 | -1): void {
    if (this.#stopping) return;
    if (by === 1) this.#addSlot();
    else this.#retireSlot();
  }

  #addSlot(): void {
    const retired = this.#slots.find((slot) => slot.retired);
    if (retired) {
      retired.retired = false;
      return;
    }
    let index = 1;
    while (this.#slots.some((slot) => slot.index === index)) index++;
    this.#slots.push(emptySlot(index, performance.now()));
  }

  #retireSlot(): void {
    const kept = this.#slots.filter(({ retired }) => !retired).sort((a, b) => a.index - b.index);
    const slot = kept.at(-1) as Slot;
    if (kept.length === 1) return;
    slot.retired = true;
    slot.startAt = Infinity;
    if (slot.running) this.#ask(slot.running, 'stop');
    else this.#remove(slot);
  }

  #remove(slot: Slot): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
  }

  #ask(running: Running, reason: NonNullable<Running['reason']>): void {
    if (running.reason) return;
    running.reason = reason;
    running.killAt = performance.now() + this.#plan.stopTimeoutMs;
    tell(running, this.#plan.stopSignal);
  }

  #enforceDeadlines(): void {
    const now = performance.now();
    const heartbeatMs = this.#plan.heartbeat?.timeoutMs;
    for (const running of this.#alive()) {
      if (running.giveUpAt <= now) {
        running.giveUpAt = Infinity;
        native.kill(running.keeperPid, SIGKILL);
        continue;
      }
      if (running.killAt > now) {
        if (failsAt(running, heartbeatMs) > now) continue;
        running.reason = running.isReady ? 'heartbeat' : 'ready';
      }
      this.#endKeeper(running);
    }
  }

  #reap(): void {
    for (;;) {
      const status = this.#waitForAny();
      if (!status) break;
      this.#others.delete(status.pid);
      const slot = this.#slots.find(({ running }) => running?.keeperPid === status.pid || running?.pid === status.pid);
      if (slot?.running) this.#onEnd(slot, slot.running, status.pid, endingOf(status));
    }
    this.#killStrays();
  }

  #waitForAny() {
    try {
      return native.waitpid(-1, true, false);
    } catch {
      return null; // ECHILD
    }
  }

  #onEnd(slot: Slot, running: Running, pid: number, ending: Ended): void {
    // A keeper that was killed leaves the worker to us, dying; unless it has changed its user, which unties it.
    const isKeeper = pid === running.keeperPid && !running.orphaned;
    if (isKeeper && ending.signal === 'SIGKILL') {
      this.#keeperLost = true;
      this.#cleansUntil = performance.now() + KEEPER_PATIENCE_MS;
    }
    if (isKeeper && children().includes(running.pid)) {
      running.orphaned = true;
      tell(running, SIGKILL);
      return;
    }
    running.handle?.close();
    if (running.statusFd !== -1) closeSync(running.statusFd);
    slot.running = undefined;
    this.#lastEnding = ending;
    this.#replace(slot, running.startedAt, ending, running);
  }

  /**
   * What a killed keeper leaves behind comes to us: it has lost its worker, and has to go. What else comes, from whatever was
   * there before or, in the first process of a container, from anywhere, is only reaped.
   */
  #killStrays(): void {
    const known = new Set(this.#running().flatMap(({ keeperPid, pid }) => [keeperPid, pid]));
    const strays = children().filter((pid) => !known.has(pid) && !this.#others.has(pid));
    for (const pid of strays) {
      if (!this.#keeperLost || !isKilled(pid)) this.#others.add(pid);
    }
    if (strays.some((pid) => !this.#others.has(pid)) || this.#running().some(({ orphaned }) => orphaned)) return;
    this.#keeperLost = false;
    this.#cleansUntil = -Infinity;
  }

  #replace(slot: Slot, startedAt: number, ending: Ending, running?: Running): void {
    const now = performance.now();
    const decision = this.#decide(slot, { ending, startedAt, now, chance: Math.random() }, running?.reason);
    if (decision.action === 'restart') {
      slot.history = decision.history;
      slot.startAt = now + decision.delayMs;
      slot.restarts++;
    } else if (slot.retired) {
      this.#remove(slot);
    }
    if ('spawnError' in ending) this.#lastEnding = { exitCode: 1, signal: null };
    if (decision.action === 'giveUp') {
      writeSync(2, `${this.#plan.title}: worker ${slot.index} is given up: ${decision.reason}\n`);
    }
    if (!running || 'spawnError' in ending) return;
    const exit: WorkerExit = {
      worker: slot.index,
      pid: running.pid,
      exitCode: ending.exitCode,
      signal: ending.signal,
      ...(running.reason ? { reason: running.reason } : {}),
      restartsInMs: decision.action === 'restart' ? decision.delayMs : null,
    };
    this.#report(exit);
  }

  #decide({ retired, history }: Slot, event: Event, reason: Running['reason']): Decision {
    if (this.#stopping || retired) return { action: 'finish' };
    // It was one too many, and then no longer.
    if (reason === 'stop') return { action: 'restart', delayMs: 0, history };
    return decide(this.#plan.restart, history, { ...event, failed: reason === 'maxRss' });
  }

  #report(exit: WorkerExit): void {
    try {
      this.#plan.onExit(exit);
    } catch (error) {
      writeSync(2, `${this.#plan.title}: onExit has thrown: ${error instanceof Error ? error.stack : error}\n`);
    }
  }
}

/** Makes this process the watchdog; returns in each worker. */
export function supervise(plan: WatchdogPlan): Worker {
  return new Supervisor(plan).run();
}
