import { readFileSync } from 'node:fs';
import { openProcess, type ProcessHandle } from '../../posix/process-handle.js';
import type { LeftCgroups } from '../cgroup.js';

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

function end(handle: ProcessHandle): void {
  try {
    handle.signal('SIGKILL');
  } catch {
    // It has ended, or is another user's.
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
  readonly #cgroups: LeftCgroups;

  constructor(supervisor: number, cgroups: LeftCgroups) {
    this.#supervisor = supervisor;
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
   * @param silent when no guard is left, as far as these tell
   * @param patienceMs when those that are still there are killed: somebody has stopped them
   */
  async gone(silent: Promise<void>, patienceMs: number): Promise<void> {
    const held = [...this.#held.values()];
    const handles = held.flatMap((one) => one.handles);
    const timer = setTimeout(() => handles.forEach(end), patienceMs);
    await Promise.all([silent, ...handles.map((handle) => handle.ref().wait())]);
    clearTimeout(timer);
    // Of guards that were killed as well.
    for (const { guard } of held) this.#cgroups.keeperEnded(guard);
    this.close();
  }

  close(): void {
    for (const worker of [...this.#held.keys()]) this.release(worker);
  }
}
