// How a daemon is: looked at from outside, through its lock.
import { findDaemon, type RunningDaemon } from '../../daemon/control.js';
import { PidFile } from '../../daemon/pid-file.js';
import { type MemoryUse, memoryUse } from '../../posix/memory.js';
import { startTime, uptimeMs } from '../../posix/start-time.js';
import type { DaemonFiles, DaemonRecord } from './record.js';
import { type Ending, readStatus, type WorkerStatus } from './status-file.js';

/** As the Linux Standard Base counts: dead means that it left its pid file. */
export const EXIT_CODES = { running: 0, dead: 1, stopped: 3, unknown: 4 } as const;

export interface DaemonState {
  readonly name: string;
  readonly state: keyof typeof EXIT_CODES;
  /** The program's pid. */
  readonly pid?: number;
  readonly keeperPid?: number;
  readonly startedAt?: Date;
  readonly uptimeMs?: number;
  /** Memory of the program's process alone, in bytes: resident, and proportional where the kernel lets one read it. */
  readonly rss?: number;
  readonly pss?: number;
  /** Of one that is watched. Its pid, if it runs, is that of the first; memory is that of all. */
  readonly workers?: readonly WorkerState[];
  /** Of all workers. */
  readonly restarts?: number;
  readonly foreground?: boolean;
  readonly command?: readonly string[];
  readonly cwd?: string;
  readonly pidFile: string;
  readonly stdout?: string;
  readonly stderr?: string;
  /** How it ended, if it doesn't run and that is known. */
  readonly end?: Ending;
  /** Why nothing can be said. */
  readonly error?: Error;
}

export interface WorkerState extends Omit<WorkerStatus, 'startTicks'>, MemoryUse {
  readonly uptimeMs?: number;
}

export function lookAt(files: DaemonFiles): DaemonState {
  const { name } = files;
  let { pidFile } = files;
  try {
    pidFile = files.record(true)?.pidFile ?? pidFile;
    const running = findDaemon(pidFile);
    const record = files.record(running !== null);
    const common = { name, pidFile, ...(record ? described(record) : {}) };
    if (!running) return { ...common, ...ended(files, pidFile) };
    running.close();
    return { ...common, ...alive(files, running) };
  } catch (error) {
    return { name, state: 'unknown', pidFile, error: error as Error };
  }
}

function described({ argv, cwd, stdout, stderr, foreground }: DaemonRecord): Partial<DaemonState> {
  return { command: argv, cwd, ...(stdout ? { stdout } : {}), ...(stderr ? { stderr } : {}), foreground };
}

function alive(files: DaemonFiles, keeper: RunningDaemon): Omit<DaemonState, 'name' | 'pidFile'> {
  const status = readStatus(files.status);
  if (status && status.workers.length > 0) return watched(keeper, status.workers);
  const pid = status?.pid ?? keeper.pid;
  const started = startTime(pid);
  return {
    state: 'running',
    pid,
    keeperPid: keeper.pid,
    startedAt: started?.date ?? keeper.startedAt,
    ...(started ? { uptimeMs: Math.round(uptimeMs() - started.sinceBootMs) } : {}),
    ...memoryUse(pid),
  };
}

/** It runs for as long as its keeper does, whatever became of its programs meanwhile. */
function watched(keeper: RunningDaemon, known: readonly WorkerStatus[]): Omit<DaemonState, 'name' | 'pidFile'> {
  const workers = known.map(lookAtWorker);
  const pid = workers[0]?.pid;
  const total = (values: (number | undefined)[]) => values.reduce<number>((sum, value = 0) => sum + value, 0);
  const rss = total(workers.map((worker) => worker.rss));
  const pss = total(workers.map((worker) => worker.pss));
  return {
    state: 'running',
    ...(pid === undefined ? {} : { pid }),
    keeperPid: keeper.pid,
    startedAt: keeper.startedAt,
    uptimeMs: Math.max(0, Date.now() - keeper.startedAt.getTime()),
    ...(rss ? { rss } : {}),
    ...(pss ? { pss } : {}),
    restarts: total(workers.map(({ restarts }) => restarts)),
    workers,
  };
}

function lookAtWorker({ startTicks: _, ...worker }: WorkerStatus): WorkerState {
  const started = worker.pid === undefined ? undefined : startTime(worker.pid);
  if (worker.pid === undefined || !started) return worker;
  return { ...worker, uptimeMs: Math.round(uptimeMs() - started.sinceBootMs), ...memoryUse(worker.pid) };
}

function ended(files: DaemonFiles, pidFile: string): Omit<DaemonState, 'name' | 'pidFile'> {
  const left = PidFile.read(pidFile) !== null;
  const end = readStatus(files.status)?.end;
  return { state: left ? 'dead' : 'stopped', ...(end ? { end } : {}) };
}
