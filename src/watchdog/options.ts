import type { SignalName } from '../posix/signal-number.js';
import { signalName, signalNumber } from '../posix/signal-number.js';
import * as validate from '../posix/validate.js';
import { type Readiness, type ReadinessPlan, readinessPlan } from './readiness.js';
import { type Ending, type RestartOptions, type RestartPolicy, restartPolicy } from './restart-policy.js';

/** A heartbeat that the worker's event loop must give. */
export interface Heartbeat {
  /** How often the worker gives it, in ms. @default a third of `timeoutMs` */
  intervalMs?: number;
  /** A worker that hasn't given one for so many ms is killed and replaced: its event loop is blocked. */
  timeoutMs: number;
}

/** Options of watchdog(). */
export interface WatchdogOptions extends RestartOptions {
  /** How many workers. @default 1 */
  workers?: number;
  /** What asks a worker to end. @default 'SIGTERM' */
  stopSignal?: SignalName | number;
  /** After how many ms a worker that was asked is killed, with all that it started. @default 10000 */
  stopTimeoutMs?: number;
  /**
   * Whether all that a worker has started is killed when the worker has ended. Without, it goes on, even when the watchdog is
   * killed; the worker itself dies with the watchdog all the same. @default true
   */
  killTree?: boolean;
  /**
   * What happens to the workers when the watchdog dies, of SIGKILL for one: they are killed, or get `stopSignal` and have
   * `stopTimeoutMs` to end. @default 'kill'
   */
  onParentDeath?: 'kill' | 'terminate';
  /** When a worker is ready: at once, when it calls `ready()`, when it can be reached, or when it has stayed up. @default 'immediate' */
  readiness?: Readiness;
  /**
   * Whether one more worker is kept that has been forked in advance, sleeping before its first statement: it takes the place of
   * the next one that ends. It costs what a fork does of memory, some MiB, and no time. @default true
   */
  standby?: boolean;
  /** After how many ms a worker that isn't ready is killed, which counts as a failure. @default 60000 */
  readyTimeoutMs?: number;
  /** @default none */
  heartbeat?: Heartbeat;
  /** A worker with a larger resident set, in bytes, is asked to end and replaced. Looked at once a second. @default none */
  maxRssBytes?: number;
  /** What ps shows: `TITLE: watchdog`, `TITLE: keeper`, `TITLE: worker 1`. @default the script's file name */
  title?: string;
  /** Called in the watchdog when a worker has ended. It must be quick, and nothing asynchronous happens there. */
  onExit?: (exit: WorkerExit) => void;
}

/** A worker's end. */
export interface WorkerExit {
  /** Which one, from 1 on. */
  worker: number;
  pid: number;
  exitCode: number | null;
  signal: SignalName | null;
  /** Why the watchdog killed it, if it did. */
  reason?: 'heartbeat' | 'ready' | 'maxRss' | 'stop' | 'restart';
  /** In how many ms another one takes its place; null: none will. */
  restartsInMs: number | null;
}

export interface WatchdogPlan {
  workers: number;
  stopSignal: number;
  stopTimeoutMs: number;
  killTree: boolean;
  onParentDeath: 'kill' | 'terminate';
  readiness: ReadinessPlan;
  readyTimeoutMs: number;
  standby: boolean;
  heartbeat: Required<Heartbeat> | undefined;
  maxRssBytes: number | undefined;
  title: string;
  restart: RestartPolicy;
  onExit: (exit: WorkerExit) => void;
}

export type Ended = Exclude<Ending, { spawnError: unknown }>;

const OWN = [
  'workers',
  'stopSignal',
  'stopTimeoutMs',
  'killTree',
  'onParentDeath',
  'readiness',
  'readyTimeoutMs',
  'standby',
  'heartbeat',
  'maxRssBytes',
  'title',
  'onExit',
] as const;
const OF_RESTART = ['restart', 'successExitCodes', 'backoff', 'maxRestarts'] as const;
const MAX_MS = 0x7fffffff;
export const MAX_WORKERS = 10_000;

function heartbeatOf(value: Heartbeat | undefined): Required<Heartbeat> | undefined {
  if (value === undefined) return undefined;
  validate.options('options.heartbeat', value, ['intervalMs', 'timeoutMs']);
  const { timeoutMs } = value;
  validate.integer('options.heartbeat.timeoutMs', timeoutMs, 2, MAX_MS);
  const { intervalMs = Math.max(1, Math.floor(timeoutMs / 3)) } = value;
  validate.integer('options.heartbeat.intervalMs', intervalMs, 1, timeoutMs - 1);
  return { timeoutMs, intervalMs };
}

/** Checks the options and completes them. */
export function watchdogPlan(options: WatchdogOptions): WatchdogPlan {
  validate.options('options', options, [...OWN, ...OF_RESTART]);
  const { workers = 1, stopSignal = 'SIGTERM', stopTimeoutMs = 10_000, readiness = 'immediate' } = options;
  const {
    killTree = true,
    onParentDeath = 'kill',
    standby = true,
    readyTimeoutMs = 60_000,
    maxRssBytes,
    onExit = () => {},
  } = options;
  const { title = process.argv[1]?.replace(/.*\//, '') || 'node' } = options;
  validate.integer('options.workers', workers, 1, MAX_WORKERS);
  validate.integer('options.stopTimeoutMs', stopTimeoutMs, 0, MAX_MS);
  validate.integer('options.readyTimeoutMs', readyTimeoutMs, 1, MAX_MS);
  validate.boolean('options.standby', standby);
  validate.boolean('options.killTree', killTree);
  if (onParentDeath !== 'kill' && onParentDeath !== 'terminate') {
    throw validate.invalidValue('options.onParentDeath', 'one of kill, terminate', onParentDeath);
  }
  if (maxRssBytes !== undefined) validate.integer('options.maxRssBytes', maxRssBytes, 1, Number.MAX_SAFE_INTEGER);
  validate.text('options.title', title);
  validate.callback('options.onExit', onExit);
  const restart = restartPolicy(options);
  return {
    workers,
    stopSignal: signalNumber('options.stopSignal', stopSignal),
    stopTimeoutMs,
    killTree,
    onParentDeath,
    readiness: readinessPlan('options.readiness', readiness),
    readyTimeoutMs,
    heartbeat: heartbeatOf(options.heartbeat),
    maxRssBytes,
    title,
    restart,
    standby: standby && restart.restart !== 'never' && restart.maxRestarts.count > 0,
    onExit,
  };
}

/** How a process that was waited for has ended. */
export function endingOf({ exitCode, signal }: { exitCode: number | null; signal: number | null }): Ended {
  return signal === null ? { exitCode: exitCode ?? 0, signal: null } : { exitCode: null, signal: signalName(signal) };
}
