// Runs the app of agent/supervised.ts under a supervisor, and hears from it when its processes begin.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './deadline.js';

const app = fileURLToPath(new URL('../agent/supervised.js', import.meta.url));
const pool = fileURLToPath(new URL('../agent/pool.js', import.meta.url));
const fetchPm2 = fileURLToPath(new URL('../../../scripts/fetch-pm2.mjs', import.meta.url));
const LOADS_WITHIN_MS = 30_000;

/** What a process of the app has said; `at` in nanoseconds of the monotonic clock. */
export interface Said {
  what: 'started' | 'loaded' | 'member';
  pid: number;
  at: bigint;
}

export type Supervisor = 'watchdog' | 'cluster' | 'pdeathsig' | 'runsv' | 'supervisord' | 'pm2' | Pool;
/** Of agent/pool.ts, with the number of workers and the port. */
export type Pool = 'watchdog-pool' | 'cluster-pool';

/** How each is started, in a folder of its own; and what ends it in an orderly way, where its death wouldn't. */
function commandOf(
  supervisor: Supervisor,
  node: string,
  folder: string,
  args: readonly string[],
): { start: string[]; stop?: string[] } {
  if (supervisor === 'watchdog-pool' || supervisor === 'cluster-pool') {
    return { start: [node, pool, supervisor.replace('-pool', ''), ...args] };
  }
  const plain = [node, app, 'plain', ...args];
  if (supervisor === 'runsv') {
    writeFileSync(join(folder, 'run'), `#!/bin/sh\nexec ${plain.join(' ')}\n`, { mode: 0o755 });
    return { start: ['runsv', folder], stop: ['sv', '-w', '20', 'force-shutdown', folder] };
  }
  if (supervisor === 'supervisord') {
    const config = join(folder, 'supervisord.conf');
    const program = `[program:app]\ncommand=${plain.join(' ')}\nautorestart=true\n`;
    writeFileSync(
      config,
      `[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=${folder}/pid\n${program}`,
    );
    return { start: ['supervisord', '-c', config] };
  }
  if (supervisor === 'pm2') {
    const pm2 = spawnSync(node, [fetchPm2], { encoding: 'utf8' }).stdout.trim();
    return {
      start: [node, pm2, 'start', app, '--max-restarts', '100000', '--', 'plain', ...args],
      stop: [node, pm2, 'kill'],
    };
  }
  return { start: [node, app, supervisor, ...args] };
}

export class Supervised {
  readonly #folder: string;
  readonly #stop: string[] | undefined;
  readonly #env: NodeJS.ProcessEnv;
  readonly #queue: Said[] = [];
  readonly #fifo: Socket;
  #wake = () => {};
  readonly process: ChildProcess;

  /** @param numbers the agent's arguments after the first */
  constructor(supervisor: Supervisor, node: string, numbers: readonly number[] = []) {
    this.#folder = mkdtempSync(join(tmpdir(), 'posix-daemon-bench-'));
    const fifo = join(this.#folder, 'report');
    spawnSync('mkfifo', [fifo]);
    this.#fifo = new Socket({
      fd: openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK),
      readable: true,
      writable: false,
    });
    createInterface({ input: this.#fifo }).on('line', (line) => {
      const [what, pid, at] = line.split(' ') as [Said['what'], string, string];
      this.#queue.push({ what, pid: Number(pid), at: BigInt(at) });
      this.#wake();
    });
    this.#env = { ...process.env, REPORT: fifo, PM2_HOME: join(this.#folder, 'pm2') };
    const { start, stop } = commandOf(supervisor, node, this.#folder, numbers.map(String));
    this.#stop = stop;
    this.process = spawn(start[0] as string, start.slice(1), {
      env: this.#env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  /** The next of that kind; those of other kinds before it are dropped. */
  async next(what: Said['what']): Promise<Said> {
    for (;;) {
      const said = this.#queue.shift();
      if (said?.what === what) return said;
      if (said) continue;
      const more = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await within(`the app is ${what}`, more, LOADS_WITHIN_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop) spawnSync(this.#stop[0] as string, this.#stop.slice(1), { env: this.#env });
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const ended = once(this.process, 'exit');
      this.process.kill('SIGTERM');
      await within('the supervisor ends', ended);
    }
    this.#fifo.destroy();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
