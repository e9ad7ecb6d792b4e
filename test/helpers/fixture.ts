// Runs the little programs of test/fixtures and looks at them from outside. Nothing here signals a process that the
// test did not start, and everything started is dead when the test ends, also when it fails.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** What ends with a test, or with the tests of a suite. */
export type Scope = Pick<TestContext, 'after'>;

/** To be called in a suite: what its `before` hook starts ends after it. */
export function suiteScope(): Scope {
  const ends: (() => unknown)[] = [];
  after(async () => {
    for (const end of ends) await end();
  });
  return { after: (end) => void ends.push(end as () => unknown) };
}

/** How a fixture ended, with all that it printed. */
export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  pid: number;
  /** The next line of its standard output; rejects if it ends first. */
  line(): Promise<string>;
  /** Its end. */
  outcome: Promise<Outcome>;
}

/** The path of a compiled fixture: test/fixtures/NAME.ts. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
}

/** Starts a fixture and goes on; it is killed when the test ends. */
export function startFixture(
  t: Scope,
  name: string,
  args: readonly string[] = [],
  options: SpawnOptions & { execPath?: string; execArgv?: readonly string[] } = {},
): Running {
  const { execPath = process.execPath, execArgv = [], ...rest } = options;
  return startProgram(t, execPath, [...execArgv, fixturePath(name), ...args], rest);
}

/** The same for any program. */
export function startProgram(t: Scope, file: string, args: readonly string[], options: SpawnOptions = {}): Running {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], ...options });
  t.after(() => {
    child.kill('SIGKILL');
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const lines = child.stdout ? createInterface({ input: child.stdout })[Symbol.asyncIterator]() : undefined;
  const outcome = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout, stderr }) as Outcome);
  return {
    child,
    pid: child.pid as number,
    async line() {
      const next = await lines?.next();
      if (!next || next.done) throw new Error(`${file} ended without another line; stderr: ${stderr}`);
      return next.value;
    },
    outcome,
  };
}

/** Runs a fixture to its end. */
export function runFixture(...args: Parameters<typeof startFixture>): Promise<Outcome> {
  return startFixture(...args).outcome;
}

/** One field of /proc/PID/status, such as 'PPid' or 'SigBlk'. */
export function procStatus(pid: number, field: string): string | undefined {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8')
    .split('\n')
    .find((l) => l.startsWith(`${field}:`));
  return line?.slice(field.length + 1).trim();
}

/** Waits until a condition holds and returns its value; fails with the last value when the deadline passes. */
export async function until<T>(what: string, condition: () => T | false | undefined, deadlineMs = 10_000): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = condition();
    if (value !== false && value !== undefined) return value;
    if (performance.now() > end) throw new Error(`${what}: not so after ${deadlineMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
