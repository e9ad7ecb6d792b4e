import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bench } from './lib/bench.js';
import type { Row, Side } from './lib/report.js';
import { interleave } from './lib/stats.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const command = join(root, 'dist/posix-daemon.cjs');

interface Run {
  file: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
}

/** From the launch of a command to its end, in ms. */
async function timed({ file, args, env = process.env }: Run): Promise<number> {
  const start = performance.now();
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = await once(child, 'exit');
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${signal ?? `exit code ${code}`}`);
  return ms;
}

function must({ file, args, env = process.env }: Run): void {
  const { status, stderr, error } = spawnSync(file, args, { env, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`);
}

function pidIn(path: string): number | undefined {
  const pid = existsSync(path) ? Number.parseInt(readFileSync(path, 'utf8'), 10) : Number.NaN;
  // An empty file must not be read as 0, which is this process's own group.
  return pid > 1 ? pid : undefined;
}

/** Kills the process of a pid file, which may be written only after the command has returned. */
async function stopByPidFile(path: string): Promise<void> {
  const end = performance.now() + 5000;
  let pid: number | undefined;
  for (pid = pidIn(path); pid === undefined; pid = pidIn(path)) {
    if (performance.now() > end) throw new Error(`${path} has no pid in it`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  process.kill(pid, 'SIGKILL');
  rmSync(path);
}

/** Each starts `sleep 1000` in the background, is timed, and stops it untimed. */
function contenders(node: string, folder: string) {
  const sleep = spawnSync('sh', ['-c', 'command -v sleep'], { encoding: 'utf8' }).stdout.trim();
  const pm2 = spawnSync(node, [join(root, 'scripts/fetch-pm2.mjs')], { encoding: 'utf8' }).stdout.trim();
  const own = { ...process.env, POSIX_DAEMON_HOME: join(folder, 'own') };
  const pm2Env = { ...process.env, PM2_HOME: join(folder, 'pm2') };
  const pidFile = join(folder, 'sleep.pid');
  const ask = (...args: string[]): Run => ({ file: node, args: [pm2, ...args], env: pm2Env });
  const startPm2 = ask('start', sleep, '--interpreter', 'none', '--name', 'sleep', '--', '1000');

  return {
    async posixDaemon() {
      const ms = await timed({
        file: node,
        args: [command, 'start', '--name', 'sleep', '--', sleep, '1000'],
        env: own,
      });
      must({ file: node, args: [command, 'stop', 'sleep'], env: own });
      return ms;
    },
    async startStopDaemon() {
      const args = [
        '--start',
        '--background',
        '--make-pidfile',
        '--pidfile',
        pidFile,
        '--startas',
        sleep,
        '--',
        '1000',
      ];
      const ms = await timed({ file: 'start-stop-daemon', args });
      await stopByPidFile(pidFile);
      return ms;
    },
    async daemonize() {
      const ms = await timed({ file: 'daemonize', args: ['-p', pidFile, sleep, '1000'] });
      await stopByPidFile(pidFile);
      return ms;
    },
    async pm2Up() {
      must(ask('ping'));
      const ms = await timed(startPm2);
      must(ask('delete', 'sleep'));
      return ms;
    },
    async pm2Down() {
      must(ask('kill'));
      const ms = await timed(startPm2);
      must(ask('kill'));
      return ms;
    },
    end: () => must(ask('kill')),
    bareNode: () => timed({ file: node, args: ['-e', '0'] }),
  };
}

export const startCommand: Bench = {
  name: 'start-command',
  summary: 'from the launch of a command that starts `sleep 1000` in the background to its return',
  samples: 20,
  async run(node, samples) {
    const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-bench-'));
    const { end, ...sides } = contenders(node, folder);
    try {
      const series = await interleave(samples, sides, 2);
      const own: Side = { label: 'posix-daemon start', samples: series.posixDaemon };
      const against = (label: string, times: readonly number[], target?: Row['target']): Row => ({
        what: `${label} ÷ ours`,
        unit: 'ms',
        sides: [{ label, samples: times }, own],
        ...(target ? { target } : {}),
      });
      return [
        against('start-stop-daemon', series.startStopDaemon),
        against('daemonize', series.daemonize),
        against('pm2, its daemon up', series.pm2Up, { atLeast: 2 }),
        against('pm2, its daemon down', series.pm2Down, { atLeast: 5 }),
        {
          what: 'ours ÷ node -e 0',
          unit: 'ms',
          sides: [own, { label: 'node -e 0', samples: series.bareNode }],
          target: { atMost: 1.4 },
        },
      ];
    } finally {
      end();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
