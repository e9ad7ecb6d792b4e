// What the forks of a process with one pid came to, in words.
import type { Load, Result, Times } from './runner.js';

/** The child's first statement, of a small pid ÷ of a large one. */
const MOST = 1.3;
const ENOUGH = 100;

export function changedBytes({ changes }: Result): number {
  return changes.reduce((sum, { bytes }) => sum + bytes, 0);
}

export function isGood(result: Result): boolean {
  const { forks, imitations, refused, failures, times } = result;
  if (failures.length > 0 || changedBytes(result) > 0) return false;
  // Nobody can see a difference between a lock and its imitation that a thread is at work on: fork() may refuse, and is late.
  // A handful of forks measures nothing.
  const inTime = forks < ENOUGH || ratio(times.idle) <= MOST;
  return imitations || (refused === 0 && inTime);
}

export function asText(result: Result): string {
  const { pid, forks, refused, failures, changes, times } = result;
  const parts = [
    `pid ${pid}: forks ${forks}`,
    `refused ${refused}`,
    `failed ${failures.length}`,
    `bytes changed ${changedBytes(result)}`,
    ...(Object.keys(times) as Load[]).map((load) => `first statement ${load} ${timesAsText(times[load])}`),
  ];
  const byKind = new Map<string, { times: number; bytes: number; example: string }>();
  for (const { what, bytes, example } of changes) {
    const known = byKind.get(what);
    byKind.set(what, { times: (known?.times ?? 0) + 1, bytes: (known?.bytes ?? 0) + bytes, example });
  }
  const details = [...byKind].map(
    ([what, { times, bytes, example }]) => `${what}: ${bytes} bytes, ${times} times (${example})`,
  );
  return [parts.join(', '), ...details, ...failures.slice(0, 1).map(withoutBlanks)].join('\n    ');
}

function timesAsText(times: Times): string {
  const { small, large } = times;
  const value = ratio(times);
  return (
    `${median(small).toFixed(2)} ms ÷ ${median(large).toFixed(2)} ms = ${value.toFixed(2)} ` +
    `(≤ ${MOST} ${value <= MOST ? 'met' : 'missed'}), at most ${Math.max(0, ...small).toFixed(0)} ms`
  );
}

/** A stack without the frames that have no name. */
function withoutBlanks(text: string): string {
  return text.replace(/^#\d+ .* in \?\? \(\)\n/gm, '');
}

function ratio({ small, large }: Times): number {
  return median(small) / median(large);
}

function median(samples: readonly number[]): number {
  if (samples.length === 0) return Number.NaN;
  const sorted = samples.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}
