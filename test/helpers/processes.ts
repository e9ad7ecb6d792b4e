// Looking at and ending the processes that a test started, down to those that its programs forked themselves.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import type { ProcessHandle } from 'posix-daemon';

/** The live processes of a session: all that a program started with `detached: true` has forked, whoever their parent is. */
export function sessionMembers(session: number): number[] {
  return numericEntries('/proc').filter((pid) => {
    const fields = statFields(pid);
    return fields !== undefined && Number(fields[SESSION]) === session && fields[STATE] !== 'Z';
  });
}

/** The same with those that are dead and not reaped yet. */
export function processesOfSession(session: number): number[] {
  return numericEntries('/proc').filter((pid) => Number(statFields(pid)?.[SESSION]) === session);
}

/** Kills what is left of a session, each process by its own pid. */
export function killSession(session: number): void {
  for (const pid of sessionMembers(session)) kill(pid);
}

/** What each thread of a process is doing, from gdb where it is installed, or from /proc. */
export function describe(pid: number): string {
  try {
    const show = [
      'thread apply all bt',
      ...HELD.map((lock) => `thread apply all -s frame apply all -s print *${lock}`),
    ];
    const command = ['-batch', '-nx', '-p', String(pid), ...show.flatMap((line) => ['-ex', line])];
    return execFileSync('gdb', command, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 60_000,
      maxBuffer: 64 << 20,
    });
  } catch {
    return threads(pid);
  }
}

/** Descendants of a process, parents first. */
export function descendants(pid: number): number[] {
  const children = numericEntries('/proc').filter((other) => Number(statFields(other)?.[PARENT]) === pid);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

// Arguments of the C library's functions that wait for a lock: where its symbols are there, what the lock says of its owner.
const HELD = ['mutex', 'rwlock'];

// Fields of /proc/PID/stat after the command name, which can itself hold spaces and parentheses.
const STATE = 0;
const PARENT = 1;
const SESSION = 3;

function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined; // it has ended since it was listed
  }
}

/** All processes that /proc shows, with their parent and their state. */
export function allProcesses(): { pid: number; parent: number; state: string }[] {
  return numericEntries('/proc').flatMap((pid) => {
    const fields = statFields(pid);
    return fields ? [{ pid, parent: Number(fields[PARENT]), state: fields[STATE] as string }] : [];
  });
}

function numericEntries(folder: string): number[] {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function threads(pid: number): string {
  try {
    return numericEntries(`/proc/${pid}/task`)
      .map((tid) => {
        const [name, place] = ['comm', 'wchan'].map((f) =>
          readFileSync(`/proc/${pid}/task/${tid}/${f}`, 'utf8').trim(),
        );
        return `thread ${tid} ${name}: ${place}`;
      })
      .join('\n');
  } catch {
    return `process ${pid} has ended`;
  }
}

/** Kills one process, if it is there still. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** The same by its handle. */
export function killHeld(handle: ProcessHandle): void {
  try {
    handle.signal('SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
