import type { Bench } from './lib/bench.js';
import { requestsPerSecond } from './lib/load.js';
import { pssSum } from './lib/proc.js';
import type { Row, Target } from './lib/report.js';
import { type Agent, Rig } from './lib/rig.js';
import { interleave } from './lib/stats.js';

const children = 8;
const stateMiB = 120;
const requests = 200;

/** What the family occupies once each child has served its requests. */
async function occupied(parent: Agent, family: readonly Agent[]): Promise<number> {
  for (const child of family) await requestsPerSecond(await child.call('listen'), requests);
  return pssSum([parent.pid, ...family.map((child) => child.pid)]);
}

/** How an app comes by its state: just so, or with its garbage collected afterwards. */
type Growth = 'grow' | 'growAndCollect';

/** The app holds the state and forks. */
async function forked(node: string, growth: Growth): Promise<number> {
  await using rig = await Rig.open(node);
  const parent = await rig.start();
  await parent.call(growth, stateMiB);
  const family: Agent[] = [];
  for (let n = 0; n < children; n++) family.push(await rig.fork(parent));
  // Awaited here, or the family would be ended before it has answered.
  return await occupied(parent, family);
}

/** The parent holds next to nothing, as a cluster's primary does; each child builds the state for itself. */
async function startedAnew(node: string, growth: Growth): Promise<number> {
  await using rig = await Rig.open(node);
  const parent = await rig.start();
  const family: Agent[] = [];
  for (let n = 0; n < children; n++) {
    const child = await rig.childFork(parent);
    await child.call(growth, stateMiB);
    family.push(child);
  }
  return await occupied(parent, family);
}

async function compare(node: string, samples: number, what: string, growth: Growth, target?: Target): Promise<Row> {
  const series = await interleave(
    samples,
    { fork: () => forked(node, growth), childFork: () => startedAnew(node, growth) },
    0,
  );
  return {
    what,
    unit: 'MiB',
    sides: [
      { label: 'fork', samples: series.fork },
      { label: 'child_process.fork', samples: series.childFork },
    ],
    ...(target && { target }),
  };
}

export const memory: Bench = {
  name: 'memory',
  summary: `PSS of a parent and ${children} children with ${stateMiB} MiB of state, after ${requests} requests to each child`,
  samples: 5,
  async run(node, samples) {
    return [
      await compare(node, samples, 'app at rest', 'growAndCollect', { atMost: 0.25 }),
      await compare(node, samples, 'app that has just built its state', 'grow'),
    ];
  },
};
