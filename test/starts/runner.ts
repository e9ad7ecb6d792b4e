// Many starts of one daemon at the same moment.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findDaemon } from 'posix-daemon';
import { until } from '../helpers/fixture.js';
import { command, killAll, type Mode, makeFolder, processesOf } from '../helpers/plain-daemon.js';

export interface Round {
  /** Starters that exited with 0. */
  succeeded: number;
  /** Starters that exited with 1 and said, in one line, that it runs or is starting. */
  refused: number;
  /** What any other one said. */
  other: string[];
  /** Daemons that are left. */
  daemons: number;
}

async function start(folder: string, mode: Mode, pidFile: string, gate: string): Promise<string | number> {
  const [file, ...args] = command(folder, { mode, name: 'app', pidFile });
  // A FIFO, whose opening waits for its other end: none is ahead by what it takes to start the others.
  const script = ': < "$0"; exec "$@"';
  const child = spawn('sh', ['-c', script, gate, file as string, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  if (code === 0 && said === '') return 0;
  const clear = /^app: already running: (?:pid \d+, since \S+|pid \d+|another process is starting) \(\S+\)\n$/;
  if (code === 1 && clear.test(said)) return 1;
  return `${code}: ${said}`;
}

/** One round: all of them start; then exactly one daemon should be there. Nothing is left of it. */
export async function startAll(mode: Mode, count: number, stale: boolean): Promise<Round> {
  const { folder, remove } = makeFolder();
  try {
    const pidFile = join(folder, 'x.pid');
    // What a crash left, with the pid of a process that lives.
    if (stale) writeFileSync(pidFile, `${process.pid}\n`);
    const gate = join(folder, 'gate');
    execFileSync('mkfifo', [gate]);
    const starts = Array.from({ length: count }, () => start(folder, mode, pidFile, gate));
    const opened = openSync(gate, 'r+');
    const outcomes = await Promise.all(starts);
    closeSync(opened);
    const daemons = await until('all that are left are daemons', () => settled(folder, pidFile));
    return {
      succeeded: outcomes.filter((outcome) => outcome === 0).length,
      refused: outcomes.filter((outcome) => outcome === 1).length,
      other: outcomes.filter((outcome) => typeof outcome === 'string'),
      daemons,
    };
  } finally {
    await killAll(folder);
    await remove();
  }
}

function settled(folder: string, pidFile: string): number | false {
  const left = processesOf(folder);
  using found = findDaemon(pidFile);
  return (found === null || left.includes(found.pid)) && left.length;
}
