import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { keeperPath } from '../../daemon/keeper.js';
import { pipe } from '../../posix/descriptor.js';
import { forkExec } from '../../posix/exec.js';
import { openProcess, type ProcessHandle } from '../../posix/process-handle.js';
import { parseEvent, type SupervisorEvent } from './events.js';
import type { CommandPlan } from './plan.js';
import { HANDED, standardDescriptors, supervisorArguments } from './supervisor-arguments.js';

/** The native process that starts and watches the workers: what this one is told of it, and tells it. */
export class Supervisor {
  readonly startedAt = performance.now();
  readonly #process: ProcessHandle;
  readonly #events: Socket;
  readonly #control: Socket;

  /**
   * @param onEvent never called again after `onEnd`
   * @param onEnd it and all its guards have ended, and their workers
   * @throws what forkExec() throws; ERR_POSIX_DAEMON_KEEPER
   */
  constructor(
    plan: CommandPlan,
    workers: number | undefined,
    onEvent: (event: SupervisorEvent) => void,
    onEnd: () => void,
  ) {
    const [eventsFd, itsEvents] = pipe();
    const [itsControl, controlFd] = pipe();
    try {
      this.#process = openProcess(start(plan, workers, { [HANDED.events]: itsEvents, [HANDED.control]: itsControl }));
    } catch (error) {
      closeSync(eventsFd);
      closeSync(controlFd);
      throw error;
    } finally {
      closeSync(itsEvents);
      closeSync(itsControl);
    }
    this.#events = new Socket({ fd: eventsFd, readable: true, writable: false });
    this.#control = new Socket({ fd: controlFd, readable: false, writable: true });
    // That it is gone is told by the other pipe.
    this.#control.on('error', () => {}).unref();
    createInterface({ input: this.#events }).on('line', (line) => {
      const event = parseEvent(line);
      if (event) onEvent(event);
    });
    // Its guards have the pipe, too: only when they have ended no worker is left.
    const silent = new Promise<void>((resolve) => {
      this.#events.once('close', () => resolve());
    });
    // An error is that of close().
    void Promise.all([this.#process.wait(), silent]).then(
      () => {
        this.close();
        onEnd();
      },
      () => {},
    );
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Sends it a line. */
  tell(line: string): void {
    if (!this.#control.destroyed) this.#control.write(`${line}\n`);
  }

  /** Sends a signal to the supervisor itself. */
  signal(signal: NodeJS.Signals): void {
    if (this.#process.alive) this.#process.signal(signal);
  }

  ref(): void {
    this.#process.ref();
    this.#events.ref();
  }

  unref(): void {
    this.#process.unref();
    this.#events.unref();
  }

  /** Gives back what this process has of it. In the process that started it that ends the supervisor. */
  close(): void {
    this.#process.close();
    this.#events.destroy();
    this.#control.destroy();
  }
}

function start(plan: CommandPlan, workers: number | undefined, fds: Record<number, number>): number {
  return forkExec(keeperPath(), {
    argv: supervisorArguments(plan, workers),
    env: plan.env,
    cwd: '/',
    stdio: standardDescriptors(plan),
    fds,
    // It looks whether its parent has died; and a signal that stops nobody is lost on whoever isn't the parent any more.
    pdeathsig: 'SIGCONT',
    // A Ctrl-C is the application's alone then.
    setpgid: !plan.signals,
  });
}
