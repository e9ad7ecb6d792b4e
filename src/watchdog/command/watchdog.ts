import { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { atfork } from '../../posix/atfork.js';
import { mainThreadOnly } from '../../posix/main-thread.js';
import { type SignalName, signalNumber } from '../../posix/signal-number.js';
import * as validate from '../../posix/validate.js';
import { type Guarantee, guaranteeOf } from '../guarantee.js';
import { checkLogs } from './check-logs.js';
import type { Next, SupervisorEvent } from './events.js';
import type { CommandOptions } from './options.js';
import { type CommandPlan, commandPlan, MAX_WORKERS } from './plan.js';
import { endReason, startReason, unnamed } from './reasons.js';
import { RollingRestart } from './rolling-restart.js';
import { join, leave, type Member } from './signals.js';
import { KILLED, Succession } from './succession.js';
import type { WatchdogEnd, WatchdogEvents } from './watchdog-events.js';
import { type WorkerStatus, Workers } from './workers.js';

export interface WatchdogStatus {
  /** Of the native process that watches the workers; undefined while there is none. */
  supervisorPid: number | undefined;
  guarantee: Guarantee;
  workers: WorkerStatus[];
}

type Of<Kind> = Extract<SupervisorEvent, { kind: Kind }>;

/**
 * Runs a program, one or several times, and starts it again when it ends. It is a native process that does so: this one's
 * event loop goes on, and may be blocked. A worker that dies is back in milliseconds; when this process dies, of SIGKILL
 * too, or the native one, the workers and all that they have started die, whatever session they are in.
 *
 * The workers are started by the constructor; what they do is told by events (see WatchdogEvents). The event loop is kept
 * alive until all is over, but see unref(). A forked child (fork()) has no part in it: there all is over.
 */
export class Watchdog extends EventEmitter<WatchdogEvents> {
  readonly guarantee: Guarantee;
  readonly #plan: CommandPlan;
  readonly #workers: Workers;
  readonly #succession: Succession;
  readonly #member: Member;
  readonly #forgetFork: () => void;
  readonly #over: Promise<WatchdogEnd>;
  #resolve!: (end: WatchdogEnd) => void;
  #rolling: RollingRestart | undefined;
  #byApplication = false;

  /**
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_UNKNOWN_SIGNAL for the options;
   * ERR_RELATIVE_PATH if the program was found in a relative directory of PATH; ERR_POSIX_DAEMON_KEEPER if the native program
   * is missing; ERR_LOG_FILE_UNSAFE, ENOENT, EACCES and other errors of a log that can't be opened; EAGAIN, EMFILE and other errors of pipe() and forkExec(); ERR_WORKER_UNSUPPORTED_OPERATION in a worker thread.
   * A command that isn't there or can't be executed doesn't throw: 'failed' tells of it
   */
  constructor(options: CommandOptions) {
    super();
    mainThreadOnly('new Watchdog', 'the workers would die with the thread');
    this.#plan = commandPlan(options);
    this.#workers = new Workers(this.#plan.supervision.workers ?? 1);
    this.guarantee = guaranteeOf(this.#plan.supervision.killTree, this.#plan.cgroup);
    if (options.onExit) this.on('exit', options.onExit);
    this.#over = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    checkLogs(this.#plan);
    this.#member = {
      end: (how) => this.#succession.end(how),
      pause: () => this.#succession.signal('SIGTSTP'),
      goOn: () => this.#succession.signal('SIGCONT'),
      passOn: (signal) => this.#passOn(signal),
    };
    // First: a signal that comes once there is a worker must not end this process alone.
    if (this.#plan.signals) join(this.#member);
    try {
      this.#succession = new Succession(this.#plan, {
        hear: (event) => this.#hear(event),
        lost: (next, reason) => this.#onLost(next, reason),
        over: (end) => this.#onOver(end),
      });
    } catch (error) {
      leave(this.#member);
      throw error;
    }
    this.#forgetFork = atfork({ child: () => this.#leaveToParent() });
  }

  /** What runs now, and how it went. */
  status(): WatchdogStatus {
    const { pid, stopping } = this.#succession;
    return { supervisorPid: pid, guarantee: this.guarantee, workers: this.#workers.status(stopping) };
  }

  /**
   * Asks the workers to end by `stopSignal`, and kills what is left of them after `stopTimeoutMs`. Calling it again changes
   * nothing.
   *
   * @returns how the last one ended, once all have; after all was over already, too
   */
  stop(): Promise<WatchdogEnd> {
    return this.#endBy('stop');
  }

  /** Kills the workers, and all that they have started, at once. */
  kill(): Promise<WatchdogEnd> {
    return this.#endBy('kill');
  }

  /**
   * Replaces the workers one after the other: the next one is stopped when the new one is ready. Those that wait for their
   * next start are left alone. A restart that is under way is joined.
   *
   * @returns when all are replaced and ready; rejects with ERR_RESTART_FAILED if one is given up, or all is stopped meanwhile
   */
  restart(): Promise<void> {
    if (this.#rolling) return this.#rolling.done;
    const rolling = new RollingRestart(this.#workers.running());
    const forget = () => {
      this.#rolling = undefined;
    };
    this.#rolling = rolling;
    rolling.done.then(forget, forget);
    this.#succession.tell('restart');
    return rolling.done;
  }

  /**
   * Changes how many workers there are: the last ones are stopped, or more are started.
   *
   * @throws ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE
   */
  resize(workers: number): void {
    validate.integer('workers', workers, 1, MAX_WORKERS);
    this.#succession.workers = workers;
  }

  /**
   * Sends all workers a signal; not what they have started.
   *
   * @throws ERR_UNKNOWN_SIGNAL, ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE
   */
  signal(signal: SignalName | number): void {
    this.#succession.tell(`signal ${signalNumber('signal', signal)}`);
  }

  /** Opens the logs anew under their names, as after a rotation. */
  reopenLogs(): void {
    this.#succession.signal('SIGHUP');
  }

  /** Has the event loop kept alive until all is over, as it is from the start. */
  ref(): this {
    this.#succession.referenced = true;
    return this;
  }

  /** Lets this process end, and the workers with it, when nothing else is left to do. */
  unref(): this {
    this.#succession.referenced = false;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #endBy(how: 'stop' | 'kill'): Promise<WatchdogEnd> {
    this.#byApplication = true;
    this.#succession.end(how);
    return this.#over;
  }

  #passOn(signal: number): void {
    if (signal === constants.signals.SIGHUP) this.reopenLogs();
    this.signal(signal);
  }

  #hear(event: SupervisorEvent): void {
    this.#rolling?.hear(event);
    if (event.kind === 'stopped') return;
    this.#workers.apply(event);
    if (event.kind === 'exit') this.#onExit(event);
    else if (event.kind === 'failed') this.#onFailed(event);
    else this.#onRunning(event.kind, event);
  }

  #onRunning(kind: 'spawn' | 'ready', { worker, pid }: Of<'spawn' | 'ready'>): void {
    const restarts = this.#workers.restarts(worker);
    this.emit(kind, { worker, pid });
    if (kind === 'spawn' && restarts > 0) this.emit('restart', { worker, pid, restarts });
  }

  #onExit({ worker, pid, ended, left, reason, next }: Of<'exit'>): void {
    if (next === 'finished' && reason === 'stop' && worker > this.#succession.workers) this.#workers.remove(worker);
    const more = { leftProcesses: left, ...(reason ? { reason } : {}), restartsInMs: inMs(next) };
    this.emit('exit', { worker, pid, ...ended, ...more });
    if (next === 'givenUp') this.emit('giveUp', { worker, ...ended, reason: endReason(this.#plan, ended, left) });
  }

  #onFailed({ worker, error: raw, next }: Of<'failed'>): void {
    const error = unnamed(this.#plan, raw);
    this.emit('failed', { worker, error, restartsInMs: inMs(next) });
    if (next !== 'givenUp') return;
    this.emit('giveUp', { worker, exitCode: null, signal: null, error, reason: startReason(this.#plan, error) });
  }

  #onLost(next: Next, reason: string): void {
    for (const { worker, pid } of this.#workers.running()) {
      this.#workers.apply({ kind: 'exit', worker, pid, ended: KILLED, left: 0, reason: undefined, next });
      this.emit('exit', { worker, pid, ...KILLED, reason: 'supervisor', leftProcesses: 0, restartsInMs: inMs(next) });
      if (next === 'givenUp') this.emit('giveUp', { worker, ...KILLED, reason });
    }
  }

  #onOver(end: WatchdogEnd): void {
    this.#forgetFork();
    this.#rolling?.fail('all is stopped');
    this.#resolve(end);
    this.emit('stopped', end);
    leave(this.#member, this.#byApplication ? undefined : end);
  }

  #leaveToParent(): void {
    this.#succession.leave();
    this.#resolve(KILLED);
    leave(this.#member);
  }
}

function inMs(next: Next): number | null {
  return typeof next === 'number' ? next : null;
}
