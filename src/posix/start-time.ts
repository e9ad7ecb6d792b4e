import { readFileSync } from 'node:fs';

// The kernel counts in USER_HZ wherever it tells programs, 100 on every architecture Node runs on.
const TICKS_PER_SECOND = 100;

/** When the system was booted, in ms since 1970, as the clock now has it: moves when the clock is set. */
function bootedAt(): number {
  return Date.now() - uptimeMs();
}

/** How long the system has been up, suspended or not, in ms, to a hundredth of a second. @see proc_uptime(5) */
export function uptimeMs(): number {
  return Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000;
}

/** A process's start, in ms since the boot: what tells it from a later one with the same pid. */
export interface StartTime {
  sinceBootMs: number;
  date: Date;
}

/**
 * When a process was started.
 *
 * @returns undefined if there is no such process, or the caller may not see it (hidepid)
 * @see proc_pid_stat(5), field 22
 */
export function startTime(pid: number): StartTime | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name, the second field, may contain anything, parentheses too.
  const ticks = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  const sinceBootMs = (ticks * 1000) / TICKS_PER_SECOND;
  return { sinceBootMs, date: new Date(bootedAt() + sinceBootMs) };
}
