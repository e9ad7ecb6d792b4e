// One sample each of the three ways to run a program. None of them sets up a pipe: what differs is the start itself.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { forkExec, waitpid } from 'posix-daemon';
import { milliseconds, now } from './clock.js';

const program = '/bin/true';

/** Milliseconds since the call. */
export interface ProgramSample {
  /** Until it returned. */
  returned: number;
  /** Until the program's end was known. */
  ended: number;
}

/** A program that never ran, or crashed, would be a fast one. */
function mustHaveSucceeded(exitCode: number | null | undefined): void {
  if (exitCode !== 0) throw new Error(`${program} did not end with 0`);
}

export async function spawnSample(): Promise<ProgramSample> {
  const start = now();
  const child = spawn(program, { stdio: 'inherit' });
  const returned = now();
  const [exitCode] = await once(child, 'exit');
  const ended = now();
  mustHaveSucceeded(exitCode);
  return { returned: milliseconds(start, returned), ended: milliseconds(start, ended) };
}

/** Returns when the program has ended: the two figures are one. */
export function spawnSyncSample(): ProgramSample {
  const start = now();
  const { status } = spawnSync(program, { stdio: 'inherit' });
  const ended = milliseconds(start, now());
  mustHaveSucceeded(status);
  return { returned: ended, ended };
}

export function forkExecSample(): ProgramSample {
  const start = now();
  const pid = forkExec(program, { stdio: ['inherit', 'inherit', 'inherit'] });
  const returned = now();
  const status = waitpid(pid);
  const ended = now();
  mustHaveSucceeded(status?.exitCode);
  return { returned: milliseconds(start, returned), ended: milliseconds(start, ended) };
}
