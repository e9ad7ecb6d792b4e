import { readFileSync } from 'node:fs';

/** Memory of one process, in bytes; what can't be read, because it has ended or is another user's, is left out. */
export interface MemoryUse {
  /** Resident. */
  rss?: number;
  /** The same with what it shares divided among those who share it. */
  pss?: number;
}

/** @see proc_pid_status(5), proc_pid_smaps(5) */
export function memoryUse(pid: number): MemoryUse {
  const rss = residentBytes(pid);
  const pss = kibibytes(`/proc/${pid}/smaps_rollup`, /^Pss:\s+(\d+)/m);
  return { ...(rss ? { rss } : {}), ...(pss ? { pss } : {}) };
}

/** The resident set alone: to find out the share the kernel goes through the whole of its memory. */
export function residentBytes(pid: number): number | undefined {
  return kibibytes(`/proc/${pid}/status`, /^VmRSS:\s+(\d+)/m);
}

function kibibytes(path: string, field: RegExp): number | undefined {
  try {
    const [, value] = field.exec(readFileSync(path, 'latin1')) ?? [];
    return value === undefined ? undefined : Number(value) * 1024;
  } catch {
    return undefined;
  }
}
