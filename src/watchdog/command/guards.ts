import { readFileSync } from 'node:fs';
import { openProcess, type ProcessHandle } from '../../posix/process-handle.js';

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
  } catch {
    return undefined;
  }
}

/**
 * The processes that stand between a supervisor and its workers. When somebody kills the supervisor they end the workers
 * and all that these have started, and then themselves: before that there must not be a worker of the same number.
 */
export class Guards {
  readonly #supervisor: number;
  readonly #held = new Map<number, ProcessHandle>();

  constructor(supervisor: number) {
    this.#supervisor = supervisor;
  }

  /** Keeps the guard of a worker in sight, if both are still there. */
  hold(worker: number, pid: number): void {
    this.release(worker);
    const guard = parentOf(pid);
    if (guard === undefined) return;
    let handle: ProcessHandle;
    try {
      handle = openProcess(guard).unref();
    } catch {
      return;
    }
    // Not whoever adopted the worker, nor another process that has the pid by now.
    if (parentOf(guard) === this.#supervisor) this.#held.set(worker, handle);
    else handle.close();
  }

  release(worker: number): void {
    this.#held.get(worker)?.close();
    this.#held.delete(worker);
  }

  /** Resolves when all of them have ended. */
  async gone(): Promise<void> {
    await Promise.all([...this.#held.values()].map((handle) => handle.ref().wait()));
    this.close();
  }

  close(): void {
    for (const worker of [...this.#held.keys()]) this.release(worker);
  }
}
