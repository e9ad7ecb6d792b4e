import { setTimeout as sleep } from 'node:timers/promises';
import { openProcess } from 'posix-daemon';
import type { Bench } from './lib/bench.js';
import { within } from './lib/deadline.js';
import type { Row, Side } from './lib/report.js';
import { interleave } from './lib/stats.js';
import { Supervised, type Supervisor } from './lib/supervised.js';

const members = 48; // with the worker and its keeper: 50
// runsv and supervisord take what ended sooner for broken, and wait.
const healthyMs = 1100;
// What an app does after its start, such as compiling, is over by then, and a standby is there.
const settlesMs = 200;
const milliseconds = (from: bigint, to: bigint) => Number(to - from) / 1e6;

interface Back {
  started: number;
  loaded: number;
}

/** SIGKILL of the worker until the next one begins, and until it is loaded. */
async function untilBack(app: Supervised, worker: { pid: number }): Promise<Back> {
  await sleep(healthyMs);
  const killed = process.hrtime.bigint();
  process.kill(worker.pid, 'SIGKILL');
  const started = await app.next('started');
  const loaded = await app.next('loaded');
  worker.pid = loaded.pid;
  return { started: milliseconds(killed, started.at), loaded: milliseconds(killed, loaded.at) };
}

async function backAfterDeath(node: string, samples: number): Promise<Row[]> {
  const sideOf = async (app: Supervised) => {
    const worker = { pid: (await app.next('loaded')).pid };
    return () => untilBack(app, worker);
  };
  await using watchdog = new Supervised('watchdog', node);
  await using cluster = new Supervised('cluster', node);
  await using runsv = new Supervised('runsv', node);
  await using supervisord = new Supervised('supervisord', node);
  await using pm2 = new Supervised('pm2', node);
  const series = await interleave(samples, {
    watchdog: await sideOf(watchdog),
    cluster: await sideOf(cluster),
    runsv: await sideOf(runsv),
    supervisord: await sideOf(supervisord),
    pm2: await sideOf(pm2),
  });
  const rowsAgainst = (label: string, theirs: Back[], atLeast: number): Row[] =>
    (['started', 'loaded'] as const).map((moment) => ({
      what: moment === 'started' ? 'first statement' : 'app is loaded',
      unit: 'ms',
      sides: [
        { label, samples: theirs.map((back) => back[moment]) },
        { label: 'watchdog', samples: series.watchdog.map((back) => back[moment]) },
      ],
      target: { atLeast },
    }));
  return [
    ...rowsAgainst('node:cluster', series.cluster, 5),
    ...rowsAgainst('runsv', series.runsv, 5),
    ...rowsAgainst('pm2', series.pm2, 5),
    ...rowsAgainst('supervisord', series.supervisord, 50),
  ];
}

/** SIGKILL of the parent until the worker has ended, and until all that it had started has, too. */
async function untilGone(
  supervisor: Supervisor,
  node: string,
  count: number,
  stateMiB: number,
): Promise<{ worker: number; tree: number }> {
  await using app = new Supervised(supervisor, node, [count, stateMiB]);
  const handles = [openProcess((await app.next('loaded')).pid)];
  while (handles.length <= count) handles.push(openProcess((await app.next('member')).pid));
  await sleep(settlesMs);
  const parent = app.process.pid as number;
  const killed = process.hrtime.bigint();
  const ends = handles.map(async (handle) => {
    await handle.wait();
    return milliseconds(killed, process.hrtime.bigint());
  });
  process.kill(parent, 'SIGKILL');
  const times = await within('the tree is gone', Promise.all(ends));
  for (const handle of handles) handle.close();
  return { worker: times[0] as number, tree: Math.max(...times) };
}

async function goneWithParent(node: string, samples: number): Promise<Row[]> {
  const limit = (ms: number): Side => ({ label: `limit of ${ms} ms`, samples: Array(samples).fill(ms) });
  const rows: Row[] = [];
  for (const stateMiB of [0, 100]) {
    const series = await interleave(
      samples,
      {
        watchdog: () => untilGone('watchdog', node, 0, stateMiB),
        tree: () => untilGone('watchdog', node, members, stateMiB),
        pdeathsig: () => untilGone('pdeathsig', node, 0, stateMiB),
        cluster: () => untilGone('cluster', node, 0, stateMiB),
      },
      1,
    );
    const what = stateMiB === 0 ? 'plain app' : `${stateMiB} MiB of state`;
    const own: Side = { label: 'watchdog', samples: series.watchdog.map(({ worker }) => worker) };
    const target = { atMost: 1 };
    rows.push(
      { what: `${what}: worker gone`, unit: 'ms', sides: [own, limit(5)], target },
      {
        what: `${what}: 50 processes gone`,
        unit: 'ms',
        sides: [{ label: 'watchdog', samples: series.tree.map(({ tree }) => tree) }, limit(20)],
        target,
      },
      {
        what: `${what}: worker gone`,
        unit: 'ms',
        sides: [own, { label: 'PDEATHSIG alone', samples: series.pdeathsig.map(({ worker }) => worker) }],
      },
      {
        what: `${what}: worker gone`,
        unit: 'ms',
        sides: [own, { label: 'node:cluster', samples: series.cluster.map(({ worker }) => worker) }],
      },
    );
  }
  return rows;
}

export const watchdogBack: Bench = {
  name: 'watchdog-back',
  summary: 'SIGKILL of the worker until the next one runs; a Fastify app with 100 MiB of state',
  samples: 20,
  run: backAfterDeath,
};

export const watchdogDeath: Bench = {
  name: 'watchdog-death',
  summary: 'SIGKILL of the parent until the worker, and 50 processes that it has started, are gone',
  samples: 20,
  run: goneWithParent,
};
