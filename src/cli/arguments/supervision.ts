// What the options that have a program watched mean.
import { createRequire } from 'node:module';
import type { Supervision } from '../../watchdog/command/supervision.js';
import type { ReadinessPlan } from '../../watchdog/readiness.js';
import { restartPolicy } from '../../watchdog/restart-policy.js';
import { invalidValue } from '../errors.js';
import type { Given } from './parse.js';
import type { Settings } from './settings.js';
import * as values from './values.js';

const require = createRequire(import.meta.filename);

const MAX_WORKERS = 10_000;
const MAX_RESTARTS = 100_000;
const MAX_PORT = 65_535;
const STOP_TIMEOUT_MS = 10_000;
const READY_TIMEOUT_MS = 60_000;

const RESTARTS = ['always', 'on-failure', 'never'] as const;

/** Undefined if the program isn't to be watched: what only says how has no meaning then. */
export function supervision(settings: Settings): Supervision | undefined {
  const workers = settings.get('workers', (given) => values.integer(given, 1, MAX_WORKERS));
  const heartbeatMs = settings.get('heartbeat', (given) => values.integer(given, 2, values.MAX_MS, ' of milliseconds'));
  const maxRssBytes = settings.get('max-rss', values.size);
  // Who wants a program ended when it hangs or grows wants another one in its place.
  const isLookedAfter = heartbeatMs !== undefined || Boolean(maxRssBytes);
  const restart = settings.get('restart', restartWhen) ?? (isLookedAfter ? 'on-failure' : 'never');
  const how = {
    success: settings.get('success-exit-codes', successCodes) ?? [0],
    backoff: { ...restartPolicy({}).backoff, ...settings.get('backoff', pauses) },
    maxRestarts: { ...restartPolicy({}).maxRestarts, ...settings.get('max-restarts', restartLimit) },
    stopTimeoutMs: settings.get('stop-timeout', values.milliseconds) ?? STOP_TIMEOUT_MS,
  };
  if (restart === 'never' && workers === undefined && !isLookedAfter) return undefined;
  return {
    restart,
    ...how,
    ...(workers === undefined ? {} : { workers }),
    ...(heartbeatMs === undefined ? {} : { heartbeatMs }),
    ...(maxRssBytes ? { maxRssBytes } : {}),
    killTree: true,
  };
}

/** Undefined if there is nothing to wait for but its start. */
export function readiness(settings: Settings): { readiness: ReadinessPlan; readyTimeoutMs: number } | undefined {
  const plan = settings.get('ready', readyWhen);
  const readyTimeoutMs = settings.get('ready-timeout', values.milliseconds) ?? READY_TIMEOUT_MS;
  return plan === undefined || plan === 'immediate' ? undefined : { readiness: plan, readyTimeoutMs };
}

function restartWhen({ origin, value }: Given): Supervision['restart'] {
  const found = RESTARTS.find((one) => one === value);
  if (found === undefined) throw invalidValue(origin, `one of ${RESTARTS.join(', ')}`, value);
  return found;
}

function successCodes({ origin, value }: Given): (number | string)[] {
  return value
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
    .map((one) =>
      /^-?\d+$/.test(one) ? values.integer({ origin, value: one }, 0, 255) : values.signal({ origin, value: one }),
    );
}

function pauses({ origin, value }: Given): { initialMs: number; maxMs: number } {
  const [initial = '', max, ...more] = value.split(':');
  const initialMs = values.milliseconds({ origin, value: initial });
  const maxMs = max === undefined ? Math.max(initialMs, 30_000) : values.milliseconds({ origin, value: max });
  if (more.length > 0 || maxMs < initialMs) {
    throw invalidValue(origin, 'the first pause and the longest in milliseconds, such as 100:30000', value);
  }
  return { initialMs, maxMs };
}

function restartLimit({ origin, value }: Given): Partial<Supervision['maxRestarts']> {
  if (value === 'unlimited') return { count: null };
  const [count = '', window, ...more] = value.split('/');
  if (more.length > 0) throw invalidValue(origin, 'restarts and milliseconds, such as 10/60000, or unlimited', value);
  return {
    count: values.integer({ origin, value: count }, 0, MAX_RESTARTS),
    ...(window === undefined ? {} : { windowMs: values.integer({ origin, value: window }, 1, values.MAX_MS) }),
  };
}

function isAddress(text: string): boolean {
  // Node takes 3 ms to load this module, and few daemons need it.
  const { isIP } = require('node:net') as typeof import('node:net');
  return isIP(text) !== 0;
}

function readyWhen({ origin, value }: Given): ReadinessPlan {
  if (value === 'exec') return 'immediate';
  if (value === 'notify') return 'manual';
  // An IPv6 address has colons, too, and may stand in brackets.
  const [, host = '127.0.0.1', port = ''] = /^port:(?:(.+):)?(\d+)$/.exec(value) ?? [];
  const address = host === 'localhost' ? '127.0.0.1' : host.replace(/^\[(.*)\]$/, '$1');
  if (!isAddress(address) || !(Number(port) >= 1 && Number(port) <= MAX_PORT)) {
    throw invalidValue(origin, 'exec, notify, port:PORT or port:ADDRESS:PORT', value);
  }
  return { host: address, port: Number(port) };
}
