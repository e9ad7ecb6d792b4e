import type { Bench } from './lib/bench.js';
import { requestsPerSecond } from './lib/load.js';
import { pssSum } from './lib/proc.js';
import type { Row } from './lib/report.js';
import { type Agent, Rig } from './lib/rig.js';
import { interleave } from './lib/stats.js';

const children = 8;
const stateMiB = 120;
const requests = 200;

/** What a family occupies, in MiB. */
function occupied(parent: Agent, family: readonly Agent[]): number {
  return pssSum([parent.pid, ...family.map((child) => child.pid)]);
}

async function serve(family: readonly Agent[]): Promise<void> {
  for (const child of family) await requestsPerSecond(await child.call('listen'), requests);
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
  await serve(family);
  return occupied(parent, family);
}

/** Each child builds the state for itself; then the parent does so too, as the app that forks has it. */
async function startedAnew(node: string, growth: Growth): Promise<{ lean: number; full: number }> {
  await using rig = await Rig.open(node);
  const parent = await rig.start();
  const family: Agent[] = [];
  for (let n = 0; n < children; n++) {
    const child = await rig.childFork(parent);
    await child.call(growth, stateMiB);
    family.push(child);
  }
  await serve(family);
  const lean = occupied(parent, family);
  await parent.call(growth, stateMiB);
  return { lean, full: occupied(parent, family) };
}

const parents = { lean: 'child_process.fork, lean parent', full: 'child_process.fork, parent alike' } as const;

async function compare(node: string, samples: number, what: string, growth: Growth): Promise<Row[]> {
  const series = await interleave(
    samples,
    { fork: () => forked(node, growth), childFork: () => startedAnew(node, growth) },
    0,
  );
  return (['lean', 'full'] as const).map((parent) => ({
    what,
    unit: 'MiB',
    sides: [
      { label: 'fork', samples: series.fork },
      { label: parents[parent], samples: series.childFork.map((sample) => sample[parent]) },
    ],
    target: { atMost: 0.25 },
  }));
}

export const memory: Bench = {
  name: 'memory',
  summary: `PSS of a parent and ${children} children with ${stateMiB} MiB of state, after ${requests} requests to each child`,
  samples: 5,
  async run(node, samples) {
    return [
      ...(await compare(node, samples, 'app at rest', 'growAndCollect')),
      ...(await compare(node, samples, 'app that has just built its state', 'grow')),
    ];
  },
};
