// Kills one of those who take part in a start at one of its system calls, and looks at what is left.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findDaemon } from 'posix-daemon';
import { until } from '../helpers/fixture.js';
import { command, killAll, type Mode, makeFolder, processesOf } from '../helpers/plain-daemon.js';

export const ROLES = ['starter', 'first child', 'daemon'] as const;
const ENDED_WITH_1 = 1 << 8;
const KILLED = 9;

export interface Fault {
  mode: Mode;
  ready: 'immediate' | 'manual';
  role: number;
  /** The how-manieth system call. */
  at: number;
}

interface Seen {
  calls: number;
  /** The number of the system call; -1 if it didn't come to that. */
  killedAt: number;
  status: number;
}

export interface Faults {
  folder: string;
  run(fault: Fault): Promise<{ left: 'a daemon' | 'nothing'; hit: boolean }>;
  /** How many system calls each role makes. */
  count(mode: Mode, ready: Fault['ready']): Promise<number[]>;
  end(): Promise<void>;
}

const exec = promisify(execFile);

export function prepareFaults(): Faults {
  const { folder, remove } = makeFolder();
  const source = fileURLToPath(new URL('../../../test/faults/kill-at.c', import.meta.url));
  const killAt = join(folder, 'kill-at');
  execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', killAt, source]);
  const pidFile = join(folder, 'x.pid');

  async function start({ mode, ready, role, at }: Fault): Promise<Seen> {
    const options = { mode, ready, pidFile, stdout: join(folder, 'log') };
    const { stdout } = await exec(killAt, [`${role}`, `${at}`, ...command(folder, options)], { timeout: 60_000 });
    const [, calls, killedAt, status] = stdout.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    return { calls, killedAt, status } as Seen;
  }

  /** Whether nothing is left or a daemon that everybody can find, whole. */
  function whatIsLeft(): 'a daemon' | 'nothing' | false {
    const left = processesOf(folder);
    if (left.length === 0) return 'nothing';
    try {
      using found = findDaemon(pidFile);
      return left.length === 1 && found?.pid === left[0] && 'a daemon';
    } catch {
      return false; // just starting
    }
  }

  function check({ role }: Fault, { killedAt, status }: Seen, left: 'a daemon' | 'nothing'): void {
    const hit = killedAt !== -1;
    const said = `the starter ended with status ${status}, and left ${left}`;
    if (role === 0 && hit) {
      if (status !== KILLED) throw new Error(said);
      return;
    }
    if (status !== 0 && status !== ENDED_WITH_1) throw new Error(said);
    const daemonWasKilled = role === 2 && hit;
    if (status === 0 && left === 'nothing' && !daemonWasKilled) throw new Error(said);
    if (status !== 0 && left === 'a daemon') throw new Error(said);
    if (status !== 0 && existsSync(pidFile)) throw new Error(`${said} and a pid file`);
  }

  return {
    folder,
    async run(fault) {
      await killAll(folder);
      rmSync(pidFile, { force: true });
      const seen = await start(fault);
      const left = await until(`a daemon or nothing is left of ${JSON.stringify({ ...fault, ...seen })}`, whatIsLeft);
      check(fault, seen, left);
      await killAll(folder);
      const [file, ...args] = command(folder, { mode: fault.mode, pidFile });
      await exec(file as string, args);
      if (whatIsLeft() !== 'a daemon') throw new Error('the next start left no daemon');
      await killAll(folder);
      return { left, hit: seen.killedAt !== -1 };
    },
    async count(mode, ready) {
      const calls: number[] = [];
      for (const role of ROLES.keys()) {
        calls.push((await start({ mode, ready, role, at: 0 })).calls);
        await killAll(folder);
      }
      return calls;
    },
    end: remove,
  };
}

/** So many points, spread over all the system calls. */
export function spread(calls: number, points: number): number[] {
  return Array.from({ length: points }, (_, i) => 1 + Math.floor(((i + 0.5) * calls) / points));
}
