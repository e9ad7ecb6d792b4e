// What is done to a worker that runs: it is heard, asked to end, and ended when its time is over.
import { closeSync, readSync } from 'node:fs';
import { constants } from 'node:os';
import { native } from '../native.js';
import type { WatchdogPlan } from './options.js';
import { tell, tellGroup } from './processes.js';
import { failsAt, type Running, sayingsOf } from './slot.js';

const { SIGCONT, SIGKILL, SIGTERM } = constants.signals;
const KEEPER_PATIENCE_MS = 1000;

/** A part of what has been said; nothing when that is all. */
function listen(running: Running): ReturnType<typeof sayingsOf> {
  if (running.statusFd === -1) return [];
  const bytes = Buffer.allocUnsafe(256);
  let length: number;
  try {
    length = readSync(running.statusFd, bytes);
  } catch {
    return []; // EAGAIN
  }
  if (length === 0) {
    // Worker and keeper have ended: there is nothing more to hear, and it must not wake us all the time.
    closeSync(running.statusFd);
    running.statusFd = -1;
  }
  return sayingsOf(bytes.subarray(0, length));
}

/** What a worker can ask of the pool. */
export interface Requests {
  ready(): void;
  resize(workers: number): void;
  restartAll(): void;
}

export class Caretaker {
  readonly #plan: WatchdogPlan;
  readonly #requests: Requests;

  constructor(plan: WatchdogPlan, requests: Requests) {
    this.#plan = plan;
    this.#requests = requests;
  }

  /** It starts now, whenever it was forked. */
  begin(running: Running, now: number): void {
    const { readiness, readyTimeoutMs } = this.#plan;
    running.startedAt = now;
    running.startedAtDate = Date.now();
    running.lastBeat = now;
    if (typeof readiness === 'object' && 'upMs' in readiness) running.upAt = now + readiness.upMs;
    else running.readyBy = now + readyTimeoutMs;
  }

  hear(running: Running): void {
    const said = listen(running);
    if (said.length > 0) running.lastBeat = performance.now();
    for (const { saying, number } of said) {
      if (saying === 'ready') this.#isReady(running);
      else if (saying === 'large') this.ask(running, 'maxRss');
      else if (saying === 'resize') this.#requests.resize(number);
      else if (saying === 'restartAll') this.#requests.restartAll();
      else if (saying === 'keeperEnds') running.keeperSaidEnd = true;
    }
  }

  /** Whether a keeper that has ended was killed; it may look so, when it has ended as its worker did. */
  wasKeeperKilled(running: Running): boolean {
    for (let said = listen(running); said.length > 0; said = listen(running)) {
      running.keeperSaidEnd ||= said.some(({ saying }) => saying === 'keeperEnds');
    }
    return !running.keeperSaidEnd;
  }

  /** The worker has ended, which its keeper may not see, being stopped. */
  bury(running: Running): void {
    running.ended = true;
    if (!running.orphaned) this.endKeeper(running);
  }

  #isReady(running: Running): void {
    running.isReady = true;
    running.upAt = Infinity;
    this.#requests.ready();
  }

  /** @param terminalSignal what the terminal has sent, and so everything in the worker's group gets instead */
  ask(running: Running, reason: NonNullable<Running['reason']>, terminalSignal?: number): void {
    if (running.reason) return;
    running.reason = reason;
    running.killAt = performance.now() + this.#plan.stopTimeoutMs;
    if (terminalSignal === undefined) tell(running.handle, this.#plan.stopSignal);
    else tellGroup(running.keeperPid, running.handle, terminalSignal);
  }

  enforceDeadline(running: Running, now: number): void {
    if (running.orphaned) return;
    if (running.giveUpAt <= now) {
      running.giveUpAt = Infinity;
      native.kill(running.keeperPid, SIGKILL);
      return;
    }
    if (running.upAt <= now) this.#isReady(running);
    if (running.killAt > now) {
      if (failsAt(running, this.#plan.heartbeat?.timeoutMs) > now) return;
      running.reason = running.isReady ? 'heartbeat' : 'ready';
    }
    this.endKeeper(running);
  }

  /** Has the keeper end the worker, and whatever that has started: also one that is stopped. */
  endKeeper(running: Running): void {
    running.killAt = Infinity;
    running.upAt = Infinity;
    running.readyBy = Infinity;
    running.lastBeat = Infinity;
    running.giveUpAt = performance.now() + KEEPER_PATIENCE_MS;
    // A keeper that gives a grace when the watchdog dies can't take SIGCONT, which tells it of that, for a demand.
    if (this.#plan.onParentDeath === 'terminate' && !running.ended) native.kill(running.keeperPid, SIGTERM);
    // Asks for the end, and gets a stopped one going.
    native.kill(running.keeperPid, SIGCONT);
  }
}
