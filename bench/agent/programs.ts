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

export async function spawnSample(): Promise<ProgramSample> {
  const start = now();
  const child = spawn(program, { stdio: 'inherit' });
  const returned = now();
  await once(child, 'exit');
  return { returned: milliseconds(start, returned), ended: milliseconds(start, now()) };
}

/** Returns when the program has ended: the two figures are one. */
export function spawnSyncSample(): ProgramSample {
  const start = now();
  spawnSync(program, { stdio: 'inherit' });
  const ended = milliseconds(start, now());
  return { returned: ended, ended };
}

export function forkExecSample(): ProgramSample {
  const start = now();
  const pid = forkExec(program, { argv: [program], stdio: ['inherit', 'inherit', 'inherit'] });
  const returned = now();
  waitpid(pid);
  return { returned: milliseconds(start, returned), ended: milliseconds(start, now()) };
}
