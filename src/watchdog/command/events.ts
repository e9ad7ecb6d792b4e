// What the native supervisor tells, a line each.
import { systemError } from '../../posix/system-error.js';
import type { Ended } from '../options.js';
import { decodeStatus } from './decode-status.js';

/** Why the supervisor ended a worker. */
export type EndReason = 'heartbeat' | 'ready' | 'maxRss' | 'stop' | 'restart';

/** What becomes of a worker that has ended: in how many ms the next one starts, or that none will. */
export type Next = number | 'finished' | 'givenUp';

export type SupervisorEvent =
  | { kind: 'spawn' | 'ready'; worker: number; pid: number }
  | { kind: 'exit'; worker: number; pid: number; ended: Ended; left: number; reason: EndReason | undefined; next: Next }
  | { kind: 'failed'; worker: number; error: NodeJS.ErrnoException; next: Next }
  | { kind: 'stopped'; ended: Ended };

const REASONS: Readonly<Record<string, EndReason>> = {
  heartbeat: 'heartbeat',
  ready: 'ready',
  rss: 'maxRss',
  stop: 'stop',
  restart: 'restart',
};

function nextOf(text: string): Next {
  const ms = Number(text);
  if (ms >= 0) return ms;
  return ms === -1 ? 'finished' : 'givenUp';
}

/** Undefined for what this version doesn't know. */
export function parseEvent(line: string): SupervisorEvent | undefined {
  const [kind, ...words] = line.split(' ');
  const [first = '', second = '', third = '', fourth = '', fifth = '', sixth = ''] = words;
  const worker = Number(first);
  switch (kind) {
    case 'spawn':
    case 'ready':
      return { kind, worker, pid: Number(second) };
    case 'exit': {
      const ended = decodeStatus(Number(third));
      const reason = REASONS[fifth];
      return { kind, worker, pid: Number(second), ended, left: Number(fourth), reason, next: nextOf(sixth) };
    }
    case 'failed': {
      const path = words.slice(4).join(' ');
      return { kind, worker, error: systemError(Number(second), third, path), next: nextOf(fourth) };
    }
    case 'stopped':
      return { kind, ended: decodeStatus(Number(first)) };
    default:
      return undefined;
  }
}
