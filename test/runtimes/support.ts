// What the areas share. An area that forks itself, beside being run in a forked process, proves what the two sides of
// one fork see of each other.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ForkOptions, fork, type WaitStatus, waitpid } from 'posix-daemon';

type Work = () => unknown;

/**
 * Forks; both sides do their work at the same time. Resolves in the parent, with the child's end, when both are done.
 * The child ends with its work, with 0 if it went well: for it the promise stays pending, so await the call at once.
 */
export async function forked(child: Work, parent: Work = () => {}, options: ForkOptions = {}): Promise<WaitStatus> {
  const pid = fork(options);
  if (pid === 0) return endWith(child);
  const [end] = await Promise.all([ended(pid), parent()]);
  return end;
}

/** The same; rejects in the parent if the child failed. */
export async function inChild(child: Work, parent?: Work, options?: ForkOptions): Promise<void> {
  const { exitCode, signal } = await forked(child, parent, options);
  assert.deepEqual({ exitCode, signal }, { exitCode: 0, signal: null });
}

/** Forks; parent and child do the same work. */
export function inBoth(work: Work): Promise<void> {
  return inChild(work, work);
}

/** The end of a child of this process, reaped. */
export function ended(pid: number): Promise<WaitStatus> {
  return new Promise((resolve) => {
    const keepAlive = setInterval(() => {}, 1 << 30); // a signal listener alone does not hold the event loop
    const reap = () => {
      const status = waitpid(pid, { noHang: true });
      if (!status) return;
      clearInterval(keepAlive);
      process.off('SIGCHLD', reap);
      resolve(status);
    };
    process.on('SIGCHLD', reap);
    reap();
  });
}

/** A new empty folder, removed when the process that made it ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-area-'));
  const { pid } = process;
  process.on('exit', () => {
    if (process.pid === pid) rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Bytes that are the same on each run, and compress by about half. */
export function sampleBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0, state = 1; i < length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = state >>> 28;
  }
  return bytes;
}

async function endWith(work: Work): Promise<never> {
  try {
    await work();
    process.exit(0);
  } catch (error) {
    console.error('in the forked child:', error);
    process.exit(1);
  }
}
