// What the kernel says about a process, in a form in which two of them, or one at two moments, can be compared.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ThreadState {
  name: string;
  status: Record<'SigBlk' | 'SigIgn' | 'SigCgt' | 'Uid' | 'Gid' | 'Groups', string>;
}

export interface ProcessState {
  threads: Record<string, ThreadState>;
  descriptors: Record<string, string>;
  /** Whether each mapping is kept out of forks (MADV_DONTFORK), by its address range. */
  keptOut: Record<string, boolean>;
}

const FIELDS = ['SigBlk', 'SigIgn', 'SigCgt', 'Uid', 'Gid', 'Groups'] as const;

export function processState(pid: number | 'self' = 'self'): ProcessState {
  return { threads: threadsOf(pid), descriptors: descriptorsOf(pid), keptOut: mappingsOf(pid) };
}

/**
 * The state of this process as soon as none of its threads is in a handler of signal 33, by which fork() stops them and
 * the C library changes their user: both let them go without waiting until they have left it.
 */
export async function settledState(): Promise<ProcessState> {
  const inHandler = ({ status }: ThreadState) => (BigInt(`0x${status.SigBlk}`) >> 32n) & 1n;
  for (;;) {
    const state = processState();
    if (!Object.values(state.threads).some(inHandler)) return state;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function threadsOf(pid: number | 'self'): Record<string, ThreadState> {
  const folder = `/proc/${pid}/task`;
  return Object.fromEntries(
    readdirSync(folder).map((tid) => {
      const text = readFileSync(`${folder}/${tid}/status`, 'utf8');
      const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'm').exec(text)?.[1] ?? '';
      const status = Object.fromEntries(FIELDS.map((name) => [name, field(name)])) as ThreadState['status'];
      return [tid, { name: field('Name'), status }];
    }),
  );
}

// Without the one that lists the folder.
function descriptorsOf(pid: number | 'self'): Record<string, string> {
  const folder = `/proc/${pid}/fd`;
  return Object.fromEntries(
    readdirSync(folder).flatMap((fd) => {
      try {
        return [[fd, readlinkSync(`${folder}/${fd}`)]];
      } catch {
        return [];
      }
    }),
  );
}

function mappingsOf(pid: number | 'self'): Record<string, boolean> {
  const mappings: Record<string, boolean> = {};
  let range = '';
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    if (/^[0-9a-f]+-[0-9a-f]+ /.test(line)) range = line.slice(0, line.indexOf(' '));
    else if (line.startsWith('VmFlags:')) mappings[range] = / dc\b/.test(line);
  }
  return mappings;
}
