// Fixtures with several small scenarios, each run in a process of its own: `node fixture NAME` prints what the scenario
// returned, or the fields of the error it threw, as one line of JSON.
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { runFixture } from './fixture.js';

export type Scenarios = Record<string, (...args: string[]) => unknown>;

/** What a system error or a refused argument looks like from outside. */
export interface Failure {
  name: string;
  code?: string;
  errno?: number;
  syscall?: string;
  path?: string;
  step?: string;
  message: string;
}

/** The error that `call` throws, as data; an error itself if it throws none. */
export function failureOf(call: () => unknown): Failure {
  try {
    call();
  } catch (error) {
    const { name, code, errno, syscall, path, step, message } = error as Failure;
    return JSON.parse(JSON.stringify({ name, code, errno, syscall, path, step, message })) as Failure;
  }
  throw new Error('it threw nothing');
}

/** In a fixture: runs the scenario that the command line names. */
export async function playScenario(scenarios: Scenarios): Promise<void> {
  const [name, ...args] = process.argv.slice(2);
  const scenario = scenarios[name as string];
  if (!scenario) throw new Error(`there is no scenario ${name}`);
  console.log(JSON.stringify((await scenario(...args)) ?? null));
}

/** In a test: what the scenario returned, once its process has ended well. */
export async function scenario<T>(
  t: TestContext,
  fixture: string,
  args: readonly string[],
  options: Parameters<typeof runFixture>[3] = {},
): Promise<T> {
  const { code, signal, stdout, stderr } = await runFixture(t, fixture, args, options);
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

/** In a fixture: gives up root's rights, if it has them. */
export function becomeOrdinaryUser(): void {
  if (process.getuid?.() !== 0) return;
  process.setgroups?.([]);
  process.setgid?.(65534);
  process.setuid?.(65534);
}

/** Larger than the kernel lets any pid become (2^22). */
export const DEAD_PID = 0x7ffffff0;
