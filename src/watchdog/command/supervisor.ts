import { closeSync, fstatSync } from 'node:fs';
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
import { HANDED, outputs, supervisorArguments } from './supervisor-arguments.js';
import { trySignal } from './try-signal.js';

// A guard that isn't stopped follows its supervisor within moments.
const PATIENCE_MS = 1000;

/** The native process that starts and watches the workers: what this one is told of it, and tells it. */
export class Supervisor {
  readonly startedAt = performance.now();
  readonly #process: ProcessHandle;
  readonly #events: Socket;
  readonly #control: Socket;
  /** Its end of file is the end of the supervisor and of all guards: also of those that were never heard of. */
  readonly #life: Socket;
  readonly #guards: Guards;
  /** When it is killed itself, if it doesn't kill. */
  #deadline: NodeJS.Timeout | undefined;
  #closed = false;

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
    const [lifeFd, itsLife] = pipe();
    try {
      this.#process = start(plan, workers, { events: itsEvents, control: itsControl, life: itsLife });
    } catch (error) {
      for (const fd of [eventsFd, controlFd, lifeFd]) closeSync(fd);
      throw error;
    } finally {
      for (const fd of [itsEvents, itsControl, itsLife]) closeSync(fd);
    }
    this.#guards = new Guards(this.#process.pid, fstatSync(lifeFd).ino, cgroups);
    this.#life = new Socket({ fd: lifeFd, readable: true, writable: false }).resume();
    this.#events = new Socket({ fd: eventsFd, readable: true, writable: false });
    this.#control = new Socket({ fd: controlFd, readable: false, writable: true });
    // That it is gone is told by the other pipe.
    this.#control.on('error', () => {}).unref();
    createInterface({ input: this.#events }).on('line', (line) => {
      const event = parseEvent(line);
      if (event) this.#hear(event, onEvent);
    });
    const patienceMs = (plan.terminates ? plan.supervision.stopTimeoutMs : 0) + PATIENCE_MS;
    void this.#process
      .wait()
      .then(async (status) => {
        // Both pipes with the same patience: a guard that was stopped right after its fork still has the other one, too.
        const silent = Promise.all([closed(this.#events), closed(this.#life)]);
        await this.#guards.gone(silent, patienceMs);
        return status;
      })
      .then(
        (status) => {
          if (this.#closed) return;
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

  /** Asks it to end the workers and then itself. */
  stop(): void {
    this.tell('stop');
    // Somebody may have stopped it.
    trySignal(this.#process, 'SIGCONT');
  }

  /** Has it kill the workers and end; if it does nothing of the kind it is killed, and the guards do the rest. */
  kill(): void {
    this.tell('kill');
    trySignal(this.#process, 'SIGCONT');
    this.#deadline ??= setTimeout(() => trySignal(this.#process, 'SIGKILL'), PATIENCE_MS).unref();
  }

  /** Sends a signal to the supervisor itself. */
  signal(signal: NodeJS.Signals): void {
    if (this.#process.alive) this.#process.signal(signal);
  }

  ref(): void {
    this.#process.ref();
    this.#events.ref();
    this.#life.ref();
  }

  unref(): void {
    this.#process.unref();
    this.#events.unref();
    this.#life.unref();
  }

  /** Gives back what this process has of it. In the process that started it that ends the supervisor. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#deadline);
    this.#guards.close();
    this.#process.close();
    this.#events.destroy();
    this.#life.destroy();
    this.#control.destroy();
  }

  #hear(event: SupervisorEvent, onEvent: (event: SupervisorEvent) => void): void {
    // With thousands of workers it takes its time, and logs what they said last.
    this.#deadline?.refresh();
    if (event.kind === 'spawn') this.#guards.hold(event.worker, event.pid);
    if (event.kind === 'exit') this.#guards.release(event.worker);
    onEvent(event);
  }
}

function closed(socket: Socket): Promise<void> {
  if (socket.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

function start(
  plan: CommandPlan,
  workers: number | undefined,
  { events, control, life }: Record<'events' | 'control' | 'life', number>,
): ProcessHandle {
  const pid = forkExec(keeperPath(), {
    argv: supervisorArguments(plan, workers),
    env: plan.env,
    cwd: '/',
    // Guards have it from the supervisor. A program hasn't: its standard input is another one.
    stdio: [life, ...outputs(plan)],
    fds: { [HANDED.events]: events, [HANDED.control]: control },
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
