// Starts a watchdog and looks at it, its keepers and its workers from outside. Whatever it made is dead when the test ends.
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { openProcess, type ProcessHandle, type WatchdogOptions, type Worker, type WorkerExit } from 'posix-daemon';
import type { Stage, Tools } from '../fixtures/watchdog.js';
import { hasEnded } from './exec.js';
import { type Outcome, procStatus, startFixture, until } from './fixture.js';
import { killHeld } from './processes.js';

export interface Play extends WatchdogOptions {
  /** Runs before the call. It is passed on as text: nothing around it is there. */
  before?: (tools: Tools) => unknown;
  /** Runs in each worker. */
  inWorker?: (tools: Tools, worker: Worker) => unknown;
  via?: (command: readonly string[]) => [file: string, args: string[]];
}

export interface Started {
  index: number;
  pid: number;
  keeper: number;
  handle: ProcessHandle;
}

export interface Watched {
  pid: number;
  handle: ProcessHandle;
  /** The next worker to start. */
  worker(): Promise<Started>;
  /** The next `count` of them, by their index. */
  workers(count: number): Promise<Started[]>;
  /** The next end that the watchdog tells of. */
  exit(): Promise<WorkerExit>;
  /** The next line with such a field, and that field's value. */
  said<T>(field: string): Promise<T>;
  signal(signal: NodeJS.Signals): void;
  /** Keeps a process in sight, and ends it with the test. */
  hold(pid: number): ProcessHandle;
  outcome: Promise<Outcome>;
}

const stayAlive = () => {
  setInterval(() => {}, 1_000_000);
};

/**
 * For `inWorker`: a worker that asks for one worker more on SIGUSR1 and for one less on SIGUSR2, and says `resizes` when it
 * is ready for them.
 */
export const resizing: NonNullable<Play['inWorker']> = ({ say }, worker) => {
  let wanted = worker.status().workers.length;
  process.on('SIGUSR1', () => worker.resize(++wanted));
  process.on('SIGUSR2', () => worker.resize(--wanted));
  say({ resizes: true });
  setInterval(() => {}, 1e6);
};

/** The argument of the fixture. */
export function stageOf({ before = () => {}, inWorker = stayAlive, ...options }: Play): string {
  return JSON.stringify({ options, before: `${before}`, inWorker: `${inWorker}` } satisfies Stage);
}

export function startWatchdog(
  t: TestContext,
  play: Play = {},
  settings: Parameters<typeof startFixture>[3] = {},
): Watched {
  const handles: ProcessHandle[] = [];
  const hold = (pid: number) => {
    const handle = openProcess(pid);
    handles.push(handle);
    return handle;
  };
  t.after(() => {
    for (const handle of handles) {
      killHeld(handle);
      handle.close();
    }
  });
  const fixture = startFixture(t, 'watchdog', [stageOf(play)], settings);
  const handle = hold(fixture.pid);
  const backlog: Record<string, unknown>[] = [];
  const line = async (field: string) => {
    const at = backlog.findIndex((one) => field in one);
    if (at !== -1) return backlog.splice(at, 1)[0] as Record<string, unknown>;
    for (;;) {
      const next = JSON.parse(await fixture.line());
      if (field in next) return next;
      backlog.push(next);
    }
  };
  const worker = async () => {
    const { worker: index, pid } = (await line('worker')) as { worker: number; pid: number };
    return { index, pid, keeper: Number(procStatus(pid, 'PPid')), handle: hold(pid) };
  };
  return {
    pid: fixture.pid,
    handle,
    worker,
    async workers(count) {
      const all: Started[] = [];
      while (all.length < count) all.push(await worker());
      return all.sort((a, b) => a.index - b.index);
    },
    exit: async () => (await line('exit')).exit as WorkerExit,
    said: async <T>(field: string) => (await line(field))[field] as T,
    signal: (signal) => handle.signal(signal),
    hold,
    outcome: fixture.outcome,
  };
}

/** Waits until each of these is dead. */
export function untilGone(what: string, ...handles: ProcessHandle[]): Promise<true> {
  return until(`${what} gone`, () => handles.every(({ alive }) => !alive));
}

/** What ps shows of a process. */
export function titleOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
}

/** The children of a process that have ended and haven't been waited for. */
export function zombiesOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
  return children.map(Number).filter(hasEnded);
}
