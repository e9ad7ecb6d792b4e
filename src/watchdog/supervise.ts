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
import { setproctitle } from '../posix/title.js';
import { endAs } from './end-as.js';
import { type Ended, endingOf, type WatchdogPlan, type WorkerExit } from './options.js';
import { decide } from './restart-policy.js';
import { deadlineOf, emptySlot, type Running, SAYS, type Slot } from './slot.js';
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
  // Those that the script had started before: not ours to end.
  readonly #formerChildren = new Set(children());
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
  }

  #running(): Running[] {
    return this.#slots.flatMap(({ running }) => running ?? []);
  }

  #isOver(): boolean {
    return this.#slots.every(({ running, startAt }) => !running && startAt === Infinity);
  }

  #startDue(): Worker | undefined {
    for (const slot of this.#slots) {
      if (slot.running || slot.startAt > performance.now()) continue;
      const worker = this.#start(slot);
      if (worker) return worker;
    }
    return undefined;
  }

  #start(slot: Slot): Worker | undefined {
    const startedAt = performance.now();
    const [readFd, writeFd] = pipe({ nonBlocking: true });
    let forked: ReturnType<typeof forkKept>;
    try {
      forked = forkKept(this.#keeper, `${this.#plan.title}: keeper`);
    } catch (error) {
      closeSync(readFd);
      closeSync(writeFd);
      this.#replace(slot, startedAt, { spawnError: error as NodeJS.ErrnoException });
      return undefined;
    }
    if (forked.pid === 0) {
      closeSync(readFd);
      return this.#becomeWorker(slot, writeFd);
    }
    closeSync(writeFd);
    slot.startAt = Infinity;
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
      orphaned: false,
    };
    return undefined;
  }

  #becomeWorker({ index }: Slot, fd: number): Worker {
    for (const { statusFd, handle } of this.#running()) {
      if (statusFd !== -1) closeSync(statusFd);
      handle?.close();
    }
    show(`${this.#plan.title}: worker ${index}`);
    process.env.WORKER_INDEX = `${index}`;
    native.letGoOfSignals();
    return new Worker(index, fd, this.#plan);
  }

  #await(): void {
    const heartbeatMs = this.#plan.heartbeat?.timeoutMs;
    const deadline = Math.min(...this.#slots.map((slot) => deadlineOf(slot, heartbeatMs)));
    const ms = deadline === Infinity ? -1 : Math.max(0, Math.ceil(deadline - performance.now()));
    const fds = this.#running().flatMap(({ statusFd }) => (statusFd === -1 ? [] : [statusFd]));
    const { signals, readable } = native.awaitEvents(fds, ms);
    for (const running of this.#running()) if (readable.includes(running.statusFd)) this.#hear(running);
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

  #onReady(running: Running): void {
    running.isReady = true;
    if (this.#slots.every((slot) => slot.running?.isReady)) currentDaemon()?.ready();
  }

  #onSignal(signal: number): void {
    if (signal === SIGCHLD) this.#reap();
    else if (ENDING.includes(signal)) this.#stop();
    else if (signal === SIGTSTP) native.kill(process.pid, SIGSTOP);
    else if (signal === SIGTTIN) this.#resize(1);
    else if (signal === SIGTTOU) this.#resize(-1);
    else this.#passOn(signal);
  }

  #passOn(signal: number): void {
    if (signal === SIGHUP) reopenLogs();
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
    if (by === 1) {
      this.#slots.push(emptySlot(this.#slots.length + 1, performance.now()));
      return;
    }
    if (this.#slots.length === 1) return;
    const slot = this.#slots.at(-1) as Slot;
    slot.startAt = Infinity;
    if (slot.running) this.#ask(slot.running, 'stop');
    else this.#slots.pop();
  }

  #ask(running: Running, reason: NonNullable<Running['reason']>): void {
    if (running.reason) return;
    running.reason = reason;
    running.killAt = performance.now() + this.#plan.stopTimeoutMs;
    tell(running, this.#plan.stopSignal);
  }

  #enforceDeadlines(): void {
    const now = performance.now();
    const heartbeatMs = this.#plan.heartbeat?.timeoutMs ?? Infinity;
    for (const running of this.#alive()) {
      if (running.giveUpAt <= now) {
        running.giveUpAt = Infinity;
        native.kill(running.keeperPid, SIGKILL);
        continue;
      }
      if (running.killAt > now) {
        if (!running.isReady && running.readyBy <= now) running.reason = 'ready';
        else if (running.isReady && running.lastBeat + heartbeatMs <= now) running.reason = 'heartbeat';
        else continue;
      }
      // The keeper kills the worker, and whatever it has started.
      running.killAt = Infinity;
      running.readyBy = Infinity;
      running.lastBeat = Infinity;
      running.giveUpAt = now + KEEPER_PATIENCE_MS;
      native.kill(running.keeperPid, SIGTERM);
    }
  }

  #reap(): void {
    for (;;) {
      const status = this.#waitForAny();
      if (!status) break;
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
    if (pid === running.keeperPid && !running.orphaned && children().includes(running.pid)) {
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

  /** What a killed keeper leaves behind comes to us: it has lost its worker, and has to go. */
  #killStrays(): void {
    const known = new Set(this.#running().flatMap(({ keeperPid, pid }) => [keeperPid, pid]));
    for (const pid of children()) {
      if (!known.has(pid) && !this.#formerChildren.has(pid)) native.kill(pid, SIGKILL);
    }
  }

  #replace(slot: Slot, startedAt: number, ending: Parameters<typeof decide>[2]['ending'], running?: Running): void {
    const now = performance.now();
    const wanted = !this.#stopping && this.#slots.includes(slot) && running?.reason !== 'stop';
    const event = { ending, startedAt, now, chance: Math.random() };
    const decision = wanted ? decide(this.#plan.restart, slot.history, event) : ({ action: 'finish' } as const);
    if (decision.action === 'restart') {
      slot.history = decision.history;
      slot.startAt = now + decision.delayMs;
      slot.restarts++;
    } else if (running?.reason === 'stop' && !this.#stopping) {
      this.#slots.splice(this.#slots.indexOf(slot), 1);
    }
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
