// What to do when a worker has ended. Nothing here starts, waits or looks at a clock: the caller brings the moment, in ms
// of a monotonic clock, and the chance.
import { type SignalName, signalName, signalNumber } from '../posix/signal-number.js';
import * as validate from '../posix/validate.js';

/** How a worker ended, or that it never began. */
export type Ending =
  | { exitCode: number; signal: null }
  | { exitCode: null; signal: SignalName }
  | { spawnError: NodeJS.ErrnoException };

/** When and how fast a worker that has ended is replaced. */
export interface RestartOptions {
  /** 'always'; 'on-failure': not after one of `successExitCodes`; 'never'. @default 'always' */
  restart?: 'always' | 'on-failure' | 'never';
  /** Exit codes, and signals by name or number, that are no failure. @default [0] */
  successExitCodes?: readonly (number | SignalName)[];
  /** The pauses between one end and the next start. */
  backoff?: Partial<Backoff>;
  /** How often it may be replaced within some time before it is given up; `count: Infinity` is no limit. */
  maxRestarts?: Partial<RestartLimit>;
}

/**
 * The first replacement comes at once: a worker that ran well and crashed is back in milliseconds. The next ones, if it keeps
 * ending, come after `initialMs`, then each time `factor` times as long, up to `maxMs`.
 */
export interface Backoff {
  /** @default 100 */
  initialMs: number;
  /** @default 30000 */
  maxMs: number;
  /** @default 2 */
  factor: number;
  /** The share of each pause that chance takes off it, so that many workers don't come back at the same moment. @default 0.1 */
  jitter: number;
  /** A worker that ran this long was healthy: the pauses begin anew. @default 10000 */
  resetAfterMs: number;
}

export interface RestartLimit {
  /** @default 10 */
  count: number;
  /** @default 60000 */
  windowMs: number;
}

/** The options, checked and complete. */
export interface RestartPolicy {
  restart: 'always' | 'on-failure' | 'never';
  isSuccess: (ending: Ending) => boolean;
  backoff: Readonly<Backoff>;
  maxRestarts: Readonly<RestartLimit>;
}

/** What is remembered of one worker's replacements. */
export interface RestartHistory {
  /** How many replacements in a row ended before they were healthy. */
  readonly failures: number;
  /** The moments of replacements within the window. */
  readonly restarts: readonly number[];
}

export const NO_HISTORY: RestartHistory = { failures: 0, restarts: [] };

export type Decision =
  | { action: 'restart'; delayMs: number; history: RestartHistory }
  /** It has done its work. */
  | { action: 'finish' }
  | { action: 'giveUp'; reason: string };

/** What happened, and when. */
export interface Event {
  ending: Ending;
  startedAt: number;
  now: number;
  /** 0 ≤ chance < 1 */
  chance: number;
  /** It was told to end because it has to be replaced: that it obeyed is no success. */
  failed?: boolean;
}

const RESTARTS = ['always', 'on-failure', 'never'] as const;
const MAX_MS = 0x7fffffff;

function fraction(name: string, value: unknown, max: number): asserts value is number {
  if (typeof value !== 'number') throw validate.invalidType(name, 'a number', value);
  if (!(value >= 0 && value <= max)) throw validate.outOfRange(name, `>= 0 and <= ${max}`, value);
}

function backoffOf(given: Partial<Backoff>): Backoff {
  validate.options('options.backoff', given, ['initialMs', 'maxMs', 'factor', 'jitter', 'resetAfterMs']);
  const { initialMs = 100, maxMs = 30_000, factor = 2, jitter = 0.1, resetAfterMs = 10_000 } = given;
  validate.integer('options.backoff.initialMs', initialMs, 0, MAX_MS);
  validate.integer('options.backoff.maxMs', maxMs, initialMs, MAX_MS);
  fraction('options.backoff.factor', factor, 1000);
  if (factor < 1) throw validate.outOfRange('options.backoff.factor', '>= 1', factor);
  fraction('options.backoff.jitter', jitter, 1);
  validate.integer('options.backoff.resetAfterMs', resetAfterMs, 0, MAX_MS);
  return { initialMs, maxMs, factor, jitter, resetAfterMs };
}

function limitOf(given: Partial<RestartLimit>): RestartLimit {
  validate.options('options.maxRestarts', given, ['count', 'windowMs']);
  const { count = 10, windowMs = 60_000 } = given;
  if (count !== Infinity) validate.integer('options.maxRestarts.count', count, 0, MAX_MS);
  validate.integer('options.maxRestarts.windowMs', windowMs, 1, MAX_MS);
  return { count, windowMs };
}

function successOf(given: readonly (number | SignalName)[]): (ending: Ending) => boolean {
  if (!Array.isArray(given)) throw validate.invalidType('options.successExitCodes', 'an array', given);
  const known = new Set(
    given.map((one: unknown, i) => {
      const name = `options.successExitCodes[${i}]`;
      if (typeof one === 'string') return signalName(signalNumber(name, one));
      validate.integer(name, one, 0, 255);
      return one;
    }),
  );
  return (ending) => !('spawnError' in ending) && known.has(ending.signal ?? (ending.exitCode as number));
}

/** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_UNKNOWN_SIGNAL */
export function restartPolicy(options: RestartOptions): RestartPolicy {
  const { restart = 'always', successExitCodes = [0], backoff = {}, maxRestarts = {} } = options;
  if (!RESTARTS.includes(restart)) {
    throw validate.invalidValue('options.restart', `one of ${RESTARTS.join(', ')}`, restart);
  }
  return {
    restart,
    isSuccess: successOf(successExitCodes),
    backoff: backoffOf(backoff),
    maxRestarts: limitOf(maxRestarts),
  };
}

function pause({ initialMs, maxMs, factor, jitter }: Backoff, failures: number, chance: number): number {
  // Nothing stays nothing, also times the infinity that the power becomes.
  if (failures === 0 || initialMs === 0) return 0;
  const full = Math.min(maxMs, initialMs * factor ** (failures - 1));
  return Math.round(full * (1 - jitter * chance));
}

function textOf(ending: Ending): string {
  if ('spawnError' in ending) return ending.spawnError.message;
  return ending.signal ? `killed by ${ending.signal}` : `exit code ${ending.exitCode}`;
}

/** What to do about a worker's end. */
export function decide(policy: RestartPolicy, history: RestartHistory, event: Event): Decision {
  const { ending, startedAt, now, chance, failed = false } = event;
  if (policy.restart === 'never' || (policy.restart === 'on-failure' && !failed && policy.isSuccess(ending))) {
    return { action: 'finish' };
  }
  const { count, windowMs } = policy.maxRestarts;
  const restarts = history.restarts.filter((at) => now - at < windowMs);
  if (restarts.length >= count) {
    const times = `${restarts.length} restart${restarts.length === 1 ? '' : 's'} within ${windowMs} ms`;
    return { action: 'giveUp', reason: `${textOf(ending)}, after ${times}` };
  }
  // What could not even be started has no healthy time, and is never tried again at once.
  const neverBegan = 'spawnError' in ending;
  const wasHealthy = !neverBegan && now - startedAt >= policy.backoff.resetAfterMs;
  const failures = wasHealthy ? 0 : history.failures;
  return {
    action: 'restart',
    delayMs: pause(policy.backoff, neverBegan ? failures + 1 : failures, chance),
    history: { failures: failures + 1, restarts: count === Infinity ? [] : [...restarts, now] },
  };
}
