// Ends a daemon, for stop and restart: its program by pidfd, and what it leaves behind.
import { setTimeout as delay } from 'node:timers/promises';
import { findDaemon, type RunningDaemon } from '../../daemon/control.js';
import { PidFile } from '../../daemon/pid-file.js';
import { openProcess, type ProcessHandle } from '../../posix/process-handle.js';
import { startTime } from '../../posix/start-time.js';
import { coded } from '../errors.js';
import { duration } from '../output/format.js';
import { telling } from '../output/waiting.js';
import type { DaemonFiles } from '../state/record.js';
import { readStatus } from '../state/status-file.js';

export interface EndOptions {
  /** What the program is sent first; undefined: what it was started with. */
  signal: string | undefined;
  /** When it is killed. */
  timeoutMs: number;
}

export interface Ended {
  readonly name: string;
  readonly wasRunning: boolean;
  readonly pid?: number;
  /** The last signal that was sent before it ended. */
  readonly signal?: string;
  readonly tookMs?: number;
}

// A keeper that isn't stopped or stuck follows its program within moments.
const KEEPER_PATIENCE_MS = 2000;
// Start times are told in hundredths of a second.
const TICK_MS = 10;

/**
 * Resolves when neither the program nor its keeper runs any more, and the pid file is gone.
 *
 * @throws ERR_SUPERVISED for another signal than SIGKILL to one that is watched; EPERM if the program is another user's; what findDaemon() throws
 */
export async function endDaemon(files: DaemonFiles, options: EndOptions): Promise<Ended> {
  const { name } = files;
  const record = files.record(true);
  const pidFile = record?.pidFile ?? files.pidFile;
  using keeper = findDaemon(pidFile);
  if (!keeper) {
    removeStale(pidFile);
    return { name, wasRunning: false };
  }
  const begun = performance.now();
  // Before anything is sent: afterwards their pids may be somebody else's.
  using programs = openPrograms(files);
  const [program] = programs.all;
  const signal = record?.supervision
    ? await endWatched(name, keeper, programs.all, options)
    : await end(name, keeper, program, options);
  removeStale(pidFile);
  return {
    name,
    wasRunning: true,
    pid: program?.pid ?? keeper.pid,
    signal,
    tookMs: Math.round(performance.now() - begun),
  };
}

/** The programs of a running keeper; without those that have ended, or whose pids mean other processes by now. */
function openPrograms({ status }: DaemonFiles): { all: ProcessHandle[] } & Disposable {
  const { workers = [], ...only } = readStatus(status) ?? {};
  const all = (workers.length > 0 ? workers : [only]).flatMap((one) => openProgram(one) ?? []);
  return {
    all,
    [Symbol.dispose]() {
      for (const program of all) program.close();
    },
  };
}

function openProgram({ pid, startTicks }: { pid?: number; startTicks?: string }): ProcessHandle | undefined {
  if (pid === undefined) return undefined;
  try {
    const program = openProcess(pid);
    if (startTime(pid)?.sinceBootMs === Number(startTicks) * TICK_MS) return program;
    program.close();
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return undefined;
    throw error;
  }
}

async function end(
  name: string,
  keeper: RunningDaemon,
  program: ProcessHandle | undefined,
  { signal, timeoutMs }: EndOptions,
): Promise<string> {
  const ended = keeper.wait();
  // The keeper knows the program's stop signal, and then that its end was asked for.
  if (signal === undefined || !program) unlessGone(() => keeper.signal('SIGTERM'));
  else unlessGone(() => program.signal(signal));
  let sent = signal ?? 'SIGTERM';
  if (!(await patiently(name, program?.pid ?? keeper.pid, ended, timeoutMs))) {
    sent = 'SIGKILL';
    // Of the program, so that the keeper writes its last words to the log and clears up.
    unlessGone(() => program?.signal('SIGKILL'));
    if (!program || !(await endsWithin(ended, KEEPER_PATIENCE_MS))) {
      unlessGone(() => keeper.signal('SIGKILL'));
      await ended;
    }
  }
  // A keeper that was killed takes its program along, unless that has become another user.
  if (program?.alive) {
    unlessGone(() => program.signal('SIGKILL'));
    await program.wait();
  }
  return sent;
}

/**
 * A keeper that watches its programs would start them again if these were signalled: it is told to end them, and a second
 * time to kill them, with all that they have started.
 */
async function endWatched(
  name: string,
  keeper: RunningDaemon,
  programs: readonly ProcessHandle[],
  { signal = 'SIGTERM', timeoutMs }: EndOptions,
): Promise<string> {
  const kills = signal === 'SIGKILL';
  if (!kills && signal !== 'SIGTERM') {
    const message = `${name}: of a daemon that is watched only its stop signal and SIGKILL end it, not ${signal}`;
    throw coded('ERR_SUPERVISED', message, { signal });
  }
  const ended = keeper.wait();
  let sent = signal;
  unlessGone(() => keeper.signal('SIGTERM'));
  if (kills || !(await patiently(name, keeper.pid, ended, timeoutMs))) {
    sent = 'SIGKILL';
    // Not SIGTERM: of two that come at once one is lost.
    unlessGone(() => keeper.signal('SIGINT'));
    if (!(await endsWithin(ended, KEEPER_PATIENCE_MS))) {
      unlessGone(() => keeper.signal('SIGKILL'));
      await ended;
    }
  }
  // Those of a keeper that was killed are being killed by their guards.
  await Promise.all(programs.map((program) => program.wait()));
  return sent;
}

function patiently(name: string, pid: number, ended: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const what = () => `${name}: waiting for process ${pid} to end; it will be killed after ${duration(timeoutMs)}`;
  return telling(what, endsWithin(ended, timeoutMs));
}

async function endsWithin(ended: Promise<unknown>, ms: number): Promise<boolean> {
  const abort = new AbortController();
  try {
    return await Promise.race([ended.then(() => true), delay(ms, false, { signal: abort.signal })]);
  } finally {
    abort.abort();
  }
}

function unlessGone(call: () => void): void {
  try {
    call();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The pid file of a daemon that died, or was killed just now; not that of one which is starting at this moment. */
function removeStale(pidFile: string): void {
  if (PidFile.read(pidFile) === null) return;
  try {
    PidFile.lock(pidFile).release();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_ALREADY_RUNNING') throw error;
  }
}
