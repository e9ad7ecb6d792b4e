import { createServer } from 'node:net';
import type { Bench } from './lib/bench.js';
import { requestsPerSecond } from './lib/load.js';
import { family, pssSum } from './lib/proc.js';
import type { Row } from './lib/report.js';
import { interleave } from './lib/stats.js';
import { Supervised } from './lib/supervised.js';

const workers = 8;
const connections = 64;
const fewRequests = 200 * workers;
const requests = 20_000;

interface Pool {
  fromFork: number;
  fromStart: number;
  /** Of all, when each is there; after a few requests; and when they have served many. */
  pss: number;
  pssInUse: number;
  pssAfterLoad: number;
  rps: number;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function start(kind: 'watchdog-pool' | 'cluster-pool', node: string): Promise<Pool> {
  const port = await freePort();
  const begun = process.hrtime.bigint();
  await using app = new Supervised(kind, node, [workers, port]);
  const { at } = await app.next('started');
  let last = at;
  for (let n = 0; n < workers; n++) last = (await app.next('loaded')).at;
  await requestsPerSecond(port, workers, workers);
  const all = family(app.process.pid as number);
  const pss = pssSum(all);
  await requestsPerSecond(port, fewRequests, connections);
  const pssInUse = pssSum(all);
  const rps = await requestsPerSecond(port, requests, connections);
  return {
    fromFork: Number(last - at) / 1e6,
    fromStart: Number(last - begun) / 1e6,
    pss,
    pssInUse,
    pssAfterLoad: pssSum(all),
    rps,
  };
}

export const pool: Bench = {
  name: 'pool',
  summary: `${workers} workers of an app with 120 MiB: watchdog() against node:cluster, ${requests} requests over ${connections} connections`,
  samples: 5,
  async run(node, samples) {
    const series = await interleave(
      samples,
      { watchdog: () => start('watchdog-pool', node), cluster: () => start('cluster-pool', node) },
      0,
    );
    const row = (
      what: string,
      unit: Row['unit'],
      of: keyof Pool,
      target: Row['target'],
      first: 'watchdog' | 'cluster',
    ): Row => {
      const sides = {
        watchdog: { label: 'watchdog', samples: series.watchdog.map((sample) => sample[of]) },
        cluster: { label: 'node:cluster', samples: series.cluster.map((sample) => sample[of]) },
      };
      const second = first === 'watchdog' ? sides.cluster : sides.watchdog;
      return { what, unit, sides: [sides[first], second], ...(target && { target }) };
    };
    return [
      row('memory (PSS) when all serve', 'MiB', 'pss', { atMost: 0.25 }, 'watchdog'),
      row(`after ${fewRequests} requests`, 'MiB', 'pssInUse', undefined, 'watchdog'),
      row(`after ${requests} more`, 'MiB', 'pssAfterLoad', undefined, 'watchdog'),
      row('requests', '/s', 'rps', { atLeast: 1 }, 'watchdog'),
      row('first fork until all serve', 'ms', 'fromFork', { atLeast: 10 }, 'cluster'),
      row('start until all serve', 'ms', 'fromStart', undefined, 'cluster'),
    ];
  },
};
