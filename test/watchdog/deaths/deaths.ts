// In a pid namespace of its own, with no other processes than the first one and this one: run it by run.ts.
//
//   node deaths.js RUNS
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '../../helpers/fixture.js';
import { allProcesses } from '../../helpers/processes.js';

// With the worker and its keeper: 50.
const MEMBERS = 48;
const runs = Number(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-deaths-'));
chmodSync(folder, 0o755);

/** A sleep that runs as another user, which unties it from its parent; none where one can't be made. */
function setuidSleep(): string | undefined {
  if (process.geteuid?.() !== 0) return undefined;
  const path = join(folder, 'sleep');
  copyFileSync('/bin/sleep', path);
  chownSync(path, 65534, 65534);
  chmodSync(path, 0o4755);
  return path;
}

/** What is there besides the first process and this one. */
function others(): number[] {
  return allProcesses()
    .filter(({ pid, state }) => pid !== 1 && pid !== process.pid && state !== 'Z')
    .map(({ pid }) => pid);
}

/** Kills a watchdog; what is left of it after a while. */
async function run(program: readonly string[]): Promise<number[]> {
  const watchdog = spawn(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'] });
  let lines = 0;
  createInterface({ input: watchdog.stdout }).on('line', () => lines++);
  const ended = once(watchdog, 'exit');
  await until('all run', () => lines === MEMBERS + 1, 30_000);
  watchdog.kill('SIGKILL');
  await ended;
  return until('all are gone', () => others().length === 0 && [], 10_000).catch(others);
}

const sleep = setuidSleep();
const victim = fileURLToPath(new URL('victim.js', import.meta.url));
let survivors = 0;
for (let n = 1; n <= runs; n++) {
  const left = await run([victim, `${MEMBERS}`, ...(sleep ? [sleep] : [])]);
  survivors += left.length;
  for (const pid of left) process.kill(pid, 'SIGKILL');
  if (n % 50 === 0 || n === runs || left.length > 0) console.log(`runs ${n}, survivors ${survivors}`);
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = survivors === 0 ? 0 : 1;
