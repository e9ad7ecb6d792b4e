import { readFileSync } from 'node:fs';
import { openProcess, type ProcessHandle } from '../../posix/process-handle.js';
import type { LeftCgroups } from '../cgroup.js';
import { openWritersOf } from './pipe-writers.js';
import { trySignal } from './try-signal.js';

/** How long a guard that was told to go on may take to end what it guards. */
const LAST_PATIENCE_MS = 1000;

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return undefined;
  }
}

function open(pid: number): ProcessHandle[] {
  try {
    return [openProcess(pid).unref()];
  } catch {
    return [];
  }
}

/**
 * The workers of a supervisor, and the guards that stand between the two. When somebody kills the supervisor the guards end
 * the workers and all that these have started, and then themselves: before that there must not be a worker of the same
 * number. Where they come to this process then, it being the first of a container, they are reaped here.
 */
export class Guards {
  readonly #supervisor: number;
  readonly #held = new Map<number, { guard: number; handles: ProcessHandle[] }>();
  readonly #killed = new Set<number>();
  readonly #cgroups: LeftCgroups;
  /** The inode; undefined once none of them has it open. */
  #pipe: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** @param pipe the inode of the pipe whose writing end is the standard input of supervisor and guards */
  constructor(supervisor: number, pipe: number, cgroups: LeftCgroups) {
    this.#supervisor = supervisor;
    this.#pipe = pipe;
    this.#cgroups = cgroups;
  }

  /** Keeps a worker and its guard in sight, as far as they are still there. */
  hold(worker: number, pid: number): void {
    this.release(worker);
    const guard = parentOf(pid);
    if (guard === undefined) return;
    const handles = [...open(pid), ...open(guard)];
    // Not whoever adopted the worker, nor other processes that have their pids by now.
    const known = parentOf(pid) === guard && parentOf(guard) === this.#supervisor;
    if (known) this.#held.set(worker, { guard, handles });
    else for (const handle of handles) handle.close();
  }

  release(worker: number): void {
    for (const handle of this.#held.get(worker)?.handles ?? []) handle.close();
    this.#held.delete(worker);
  }

  /**
   * Resolves when all of them have ended.
   *
   * @param silent when nobody is left who could write to the pipes of the supervisor
   * @param patienceMs when somebody must have stopped those that are still there: they are told to go on and end, and those
   * that don't do so are killed
   */
  async gone(silent: Promise<unknown>, patienceMs: number): Promise<void> {
    this.#timer = setTimeout(() => this.#urge(), patienceMs);
    // What the supervisor has told last may still change who is held.
    await silent;
    this.#pipe = undefined;
    const held = [...this.#held.values()];
    await Promise.all(held.flatMap(({ handles }) => handles.map((handle) => handle.ref().wait())));
    // Of guards that were killed as well.
    for (const guard of [...held.map((one) => one.guard), ...this.#killed]) this.#cgroups.keeperEnded(guard);
    this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const worker of [...this.#held.keys()]) this.release(worker);
  }

  /** A guard that is killed leaves to init what its worker has started: first it shall do that itself. */
  #urge(): void {
    this.#signalAll(['SIGTERM', 'SIGCONT']);
    this.#timer = setTimeout(() => this.#kill(), LAST_PATIENCE_MS);
  }

  #kill(): void {
    for (const pid of this.#signalAll(['SIGKILL'])) this.#killed.add(pid);
    for (const { handles } of this.#held.values()) for (const handle of handles) trySignal(handle, 'SIGKILL');
    // A guard that is killed while it starts a worker can leave a stopped child, which has yet to learn of its end.
    this.#timer = setTimeout(() => this.#kill(), LAST_PATIENCE_MS);
  }

  /** Also guards that were never heard of. */
  #signalAll(signals: NodeJS.Signals[]): number[] {
    if (this.#pipe === undefined) return [];
    return openWritersOf(this.#pipe).map((handle) => {
      for (const signal of signals) trySignal(handle, signal);
      handle.close();
      return handle.pid;
    });
  }
}
