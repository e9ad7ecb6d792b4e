// Programs that a fixture starts by forkExec. All that run `cat` end with the fixture, whose standard input they read.
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ForkExecOptions } from 'posix-daemon';
import { type Running, startFixture, until } from './fixture.js';

export interface Failure {
  code: string;
  errno: number;
  syscall: string;
  step?: string;
  path?: string;
  message: string;
}

type FixtureOptions = Parameters<typeof startFixture>[3];

export const isRoot = process.geteuid?.() === 0;
export const needsRoot = { skip: isRoot ? false : 'needs root' };
/** SpawnOptions of an ordinary user. */
export const asNobody = { uid: 65534, gid: 65534 };

/** Starts a program by forkExec in a fixture of its own. */
export async function start(
  t: TestContext,
  file: string,
  options: ForkExecOptions,
  fixtureOptions: FixtureOptions = {},
): Promise<{ pid: number; parent: Running }> {
  const parent = startFixture(t, 'exec', [JSON.stringify([[file, options]])], fixtureOptions);
  const answer = JSON.parse(await parent.line());
  if (answer.pid === undefined) throw new Error(answer.message);
  // The kernel lets the parent go on a moment before the arguments can be seen.
  await until(
    'the program is loaded',
    () => hasEnded(answer.pid) || nullSeparated(`/proc/${answer.pid}/cmdline`).length > 0,
  );
  return { pid: answer.pid, parent };
}

/** Starts `cat`, which tells nothing and changes nothing. */
export function startCat(t: TestContext, options: ForkExecOptions, fixtureOptions: FixtureOptions = {}) {
  return start(t, '/bin/cat', options, fixtureOptions);
}

/** How forkExec fails. */
export async function failure(
  t: TestContext,
  file: string,
  options: ForkExecOptions,
  fixtureOptions: FixtureOptions = {},
): Promise<Failure> {
  const parent = startFixture(t, 'exec', [JSON.stringify([[file, options]]), 'end'], fixtureOptions);
  const answer = JSON.parse(await parent.line());
  if (answer.pid !== undefined) throw new Error('it started');
  return answer;
}

/** A directory that is gone after the test. */
export function temporaryDirectory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'posix-daemon-exec-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The open descriptors of a process and what they are. */
export function descriptorsOf(pid: number): Record<string, string> {
  const entries = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [[fd, readlinkSync(`/proc/${pid}/fd/${fd}`)]];
    } catch {
      return []; // Node's threads close some while it starts.
    }
  });
  return Object.fromEntries(entries);
}

/** The fields of /proc/PID/stat as proc(5) numbers them, from 3 (the state) on. */
export function stat(pid: number, field: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[field - 3] as string;
}

/** The children of a process's main thread. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** The arguments or variables that a file such as /proc/PID/cmdline lists. */
export function nullSeparated(path: string): string[] {
  return readFileSync(path, 'utf8').split('\0').slice(0, -1);
}

/** Whether a process has ended; a zombie has. */
export function hasEnded(pid: number): boolean {
  try {
    return stat(pid, 3) === 'Z';
  } catch {
    return true;
  }
}

/** Has a fixture start with these files open at these numbers, for reading and writing, and not close-on-exec. */
export function withOpen(files: Record<number, string>): FixtureOptions & object {
  const redirections = Object.entries(files).map(([fd, path]) => `${fd}<>${path}`);
  const script = `exec ${redirections.join(' ')}; exec "$@"`;
  return { execPath: '/bin/bash', execArgv: ['-c', script, 'bash', process.execPath] };
}
