// Starts a process with Watchdogs, and looks at it, its supervisors, guards and workers from outside. Whatever it made is
// dead when the test ends.
import type { TestContext } from 'node:test';
import {
  type CommandExit,
  type CommandOptions,
  type CommandWorker,
  openProcess,
  type ProcessHandle,
  type WatchdogStatus,
} from 'posix-daemon';
import { type Outcome, procStatus, startFixture } from './fixture.js';

export interface Commanded {
  pid: number;
  handle: ProcessHandle;
  /** The next event of this name. */
  next<T = Record<string, unknown>>(event: string): Promise<T>;
  /** The next worker that runs, held. */
  spawned(): Promise<CommandWorker & { handle: ProcessHandle; guard: number }>;
  /** The next end. */
  exit(): Promise<CommandExit>;
  /** Calls a method of the Watchdog, or one of the fixture's own. */
  ask<T = unknown>(method: string, ...args: unknown[]): Promise<T>;
  /** The same without waiting for an answer. */
  tell(method: string, ...args: unknown[]): void;
  status(): Promise<WatchdogStatus>;
  signal(signal: NodeJS.Signals): void;
  /** Keeps a process in sight, and ends it with the test. */
  hold(pid: number): ProcessHandle;
  outcome: Promise<Outcome>;
}

function end(handle: ProcessHandle): void {
  try {
    handle.signal('SIGKILL');
  } catch {
    // It has ended.
  }
}

type Settings = Parameters<typeof startFixture>[3];

export function startCommand(
  t: TestContext,
  options: CommandOptions | readonly CommandOptions[],
  settings: Settings = {},
): Commanded {
  const handles: ProcessHandle[] = [];
  const hold = (pid: number) => {
    const handle = openProcess(pid);
    handles.push(handle);
    return handle;
  };
  t.after(() => {
    for (const handle of handles) {
      end(handle);
      handle.close();
    }
  });
  const fixture = startFixture(
    t,
    'command-watchdog',
    [options].flat().map((one) => JSON.stringify(one)),
    settings,
  );
  const handle = hold(fixture.pid);
  const backlog: Record<string, unknown>[] = [];
  const next = async <T>(field: string) => {
    const at = backlog.findIndex((one) => field in one);
    if (at !== -1) return backlog.splice(at, 1)[0]?.[field] as T;
    for (;;) {
      const line = await fixture.line();
      // A worker may write there as well.
      const said = line.startsWith('{') ? JSON.parse(line) : { line };
      if (field in said) return said[field] as T;
      backlog.push(said);
    }
  };
  const tell = (...words: unknown[]) => void fixture.child.stdin?.write(`${JSON.stringify(words)}\n`);
  const ask = async <T>(...words: unknown[]) => {
    tell(...words);
    return next<T>('answer');
  };
  return {
    pid: fixture.pid,
    handle,
    next,
    async spawned() {
      const { worker, pid } = await next<CommandWorker>('spawn');
      return { worker, pid, guard: Number(procStatus(pid, 'PPid')), handle: hold(pid) };
    },
    exit: () => next<CommandExit>('exit'),
    ask,
    tell,
    status: () => ask<WatchdogStatus>('status'),
    signal: (signal) => handle.signal(signal),
    hold,
    outcome: fixture.outcome,
  };
}

/** `sh -c SCRIPT`. */
export function shell(script: string): Pick<CommandOptions, 'command'> {
  return { command: ['/bin/sh', '-c', script] };
}

export const SLEEP: Pick<CommandOptions, 'command'> = { command: ['sleep', '1000'] };

/** A program that ends by itself would be gone before it is looked at. */
export const NO_PAUSE = { initialMs: 0, maxMs: 0 };
