import type { Bench } from './lib/bench.js';
import type { Row, Target } from './lib/report.js';
import { type Agent, Rig } from './lib/rig.js';
import { interleave } from './lib/stats.js';

const stateMiB = 200;
const moments = { returned: 'spawn returns', ended: 'exit' } as const;

/** One app that forks and its twin that never does, each spawning in turns: "before" goes on for as long as "after". */
async function compare(forker: Agent, twin: Agent, samples: number, when: string, target?: Target): Promise<Row[]> {
  const series = await interleave(
    samples,
    { after: () => forker.call('spawnSample'), before: () => twin.call('spawnSample') },
    3,
  );
  return (['returned', 'ended'] as const).map((moment) => ({
    what: `${when}, until ${moments[moment]}`,
    unit: 'ms',
    sides: [
      { label: 'after a fork', samples: series.after.map((sample) => sample[moment]) },
      { label: 'before', samples: series.before.map((sample) => sample[moment]) },
    ],
    ...(target && { target }),
  }));
}

export const spawnAfterFork: Bench = {
  name: 'spawn-after-fork',
  summary: `child_process.spawn('/bin/true') in a parent of ${stateMiB} MiB, after a fork against before`,
  samples: 40,
  async run(node, samples) {
    await using rig = await Rig.open(node);
    const forker = await rig.startLarge(stateMiB);
    const twin = await rig.startLarge(stateMiB);
    const target = { atMost: 1.1 };
    const rows = await compare(forker, twin, samples, 'neither has forked');
    const child = await rig.fork(forker);
    rows.push(...(await compare(forker, twin, samples, 'child alive', target)));
    await rig.reap(forker, child);
    rows.push(...(await compare(forker, twin, samples, 'child gone', target)));
    return rows;
  },
};
