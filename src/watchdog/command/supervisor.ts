import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { keeperPath } from '../../daemon/keeper.js';
import { pipe } from '../../posix/descriptor.js';
import { forkExec } from '../../posix/exec.js';
import { waitpid } from '../../posix/process.js';
import { openProcess, type ProcessHandle } from '../../posix/process-handle.js';
import { kill } from '../../posix/signal.js';
import type { WaitStatus } from '../../posix/wait-status.js';
import type { LeftCgroups } from '../cgroup.js';
import { parseEvent, type SupervisorEvent } from './events.js';
import { Guards } from './guards.js';
import type { CommandPlan } from './plan.js';
import { HANDED, standardDescriptors, supervisorArguments } from './supervisor-arguments.js';

/** The native process that starts and watches the workers: what this one is told of it, and tells it. */
export class Supervisor {
  readonly startedAt = performance.now();
  readonly #process: ProcessHandle;
  readonly #events: Socket;
  readonly #control: Socket;
  readonly #guards: Guards;

  /**
   * @param onEvent never called again after `onEnd`
   * @param onEnd it has ended, and so have all guards and workers
   * @throws what forkExec() throws; ERR_POSIX_DAEMON_KEEPER
   */
  constructor(
    plan: CommandPlan,
    workers: number | undefined,
    cgroups: LeftCgroups,
    onEvent: (event: SupervisorEvent) => void,
    onEnd: (status: WaitStatus | null) => void,
  ) {
    const [eventsFd, itsEvents] = pipe();
    const [itsControl, controlFd] = pipe();
    try {
      this.#process = start(plan, workers, { [HANDED.events]: itsEvents, [HANDED.control]: itsControl });
    } catch (error) {
      closeSync(eventsFd);
      closeSync(controlFd);
      throw error;
    } finally {
      closeSync(itsEvents);
      closeSync(itsControl);
    }
    this.#guards = new Guards(this.#process.pid, cgroups);
    this.#events = new Socket({ fd: eventsFd, readable: true, writable: false });
    this.#control = new Socket({ fd: controlFd, readable: false, writable: true });
    // That it is gone is told by the other pipe.
    this.#control.on('error', () => {}).unref();
    createInterface({ input: this.#events }).on('line', (line) => {
      const event = parseEvent(line);
      if (event) this.#hear(event, onEvent);
    });
    const silent = new Promise<void>((resolve) => {
      this.#events.once('close', () => resolve());
    });
    void Promise.all([this.#process.wait(), silent])
      .then(async ([status]) => {
        await this.#guards.gone();
        return status;
      })
      .then(
        (status) => {
          this.close();
          onEnd(status);
        },
        // An error is that of close().
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

  /** Sends a signal to its process group, which its workers are in unless they have left it. */
  signalGroup(signal: NodeJS.Signals): void {
    // While it hasn't been reaped the number is that of its own group.
    if (this.#process.alive) kill(-this.pid, signal);
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
    this.#guards.close();
    this.#process.close();
    this.#events.destroy();
    this.#control.destroy();
  }

  #hear(event: SupervisorEvent, onEvent: (event: SupervisorEvent) => void): void {
    if (event.kind === 'spawn') this.#guards.hold(event.worker, event.pid);
    if (event.kind === 'exit') this.#guards.release(event.worker);
    onEvent(event);
  }
}

function start(plan: CommandPlan, workers: number | undefined, fds: Record<number, number>): ProcessHandle {
  const pid = forkExec(keeperPath(), {
    argv: supervisorArguments(plan, workers),
    env: plan.env,
    cwd: '/',
    stdio: standardDescriptors(plan),
    fds,
    // It looks then whether its parent has died.
    pdeathsig: 'SIGCONT',
    // What the terminal sends is for the application, which decides what the workers get.
    setpgid: true,
  });
  try {
    return openProcess(pid);
  } catch (error) {
    kill(pid, 'SIGKILL');
    waitpid(pid);
    throw error;
  }
}
