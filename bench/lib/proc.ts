// What the kernel says about a process's memory.
import { readdirSync, readFileSync } from 'node:fs';

/** One field of /proc/PID/smaps_rollup in MiB. */
function rollup(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  if (kib === undefined) throw new Error(`no ${field} in /proc/${pid}/smaps_rollup`);
  return Number(kib) / 1024;
}

/** What a process occupies of memory, shared pages counted whole. */
export function rss(pid: number): number {
  return rollup(pid, 'Rss');
}

/** What processes occupy together: each shared page is split among those that share it. */
export function pssSum(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + rollup(pid, 'Pss'), 0);
}

/** A process and all that descend from it. */
export function family(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((tid) =>
    readFileSync(`/proc/${pid}/task/${tid}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
}
