// What the native keeper is told on its command line, by the command posix-daemon as well. @see docs/keeper.md
import type { Limit } from '../../posix/limits.js';
import { RESOURCES, type Resource } from '../../posix/resources.js';
import { signalNumber } from '../../posix/signal-number.js';
import type { ReadinessPlan } from '../readiness.js';
import type { Backoff } from '../restart-policy.js';

/** How programs are watched. JSON can hold it: null is no limit. */
export interface Supervision {
  readonly restart: 'always' | 'on-failure' | 'never';
  /** Undefined: one, which isn't told that it is number 1. */
  readonly workers?: number;
  /** Exit codes, and names of signals. */
  readonly success: readonly (number | string)[];
  readonly backoff: Readonly<Backoff>;
  readonly maxRestarts: { readonly count: number | null; readonly windowMs: number };
  readonly stopTimeoutMs: number;
  readonly heartbeatMs?: number;
  readonly maxRssBytes?: number;
  readonly killTree: boolean;
}

/** RLIM_INFINITY, which no JavaScript number can be. */
const INFINITY = '18446744073709551615';

/** None for undefined. */
export function flag(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, String(value)];
}

/** Infinity and null are no limit. */
export function limitFlag(name: Resource, { soft, hard }: { [K in keyof Limit]: number | null }): string[] {
  const amount = (value: number | null) => (value === null || value === Infinity ? INFINITY : value);
  return flag('rlimit', `${RESOURCES[name]}=${amount(soft)}:${amount(hard)}`);
}

export function readinessFlags(readiness: ReadinessPlan, timeoutMs: number | undefined): string[] {
  const timeout = flag('ready-timeout-ms', timeoutMs);
  if (readiness === 'immediate') return [];
  if (readiness === 'manual') return ['--ready', 'notify', ...timeout];
  if ('upMs' in readiness) return flag('up-ms', readiness.upMs);
  return [...flag('ready', `port:${readiness.host}:${readiness.port}`), ...timeout];
}

export function supervisionFlags(supervision: Supervision): string[] {
  const { backoff, maxRestarts, success } = supervision;
  const { initialMs, maxMs, factor, jitter, resetAfterMs } = backoff;
  return [
    ...(supervision.killTree ? ['--tree'] : []),
    ...flag('workers', supervision.workers),
    ...flag('restart', supervision.restart),
    ...flag('success', success.map(successText).join(',')),
    ...flag('backoff', [initialMs, maxMs, factor, jitter, resetAfterMs].join(':')),
    ...flag('max-restarts', `${maxRestarts.count ?? -1}:${maxRestarts.windowMs}`),
    // 0 would be never.
    ...flag('stop-timeout-ms', Math.max(1, supervision.stopTimeoutMs)),
    ...flag('heartbeat-ms', supervision.heartbeatMs),
    ...flag('max-rss', supervision.maxRssBytes),
  ];
}

function successText(one: number | string): string {
  return typeof one === 'number' ? `${one}` : `s${signalNumber('success', one)}`;
}
