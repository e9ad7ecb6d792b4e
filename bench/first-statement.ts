import type { Bench } from './lib/bench.js';
import { rss } from './lib/proc.js';
import type { Row } from './lib/report.js';
import { Rig } from './lib/rig.js';
import { interleave } from './lib/stats.js';

const apps = [
  { name: 'empty app', rssMiB: 0, target: { atLeast: 15 } },
  { name: 'app with a large heap', rssMiB: 200, target: { atLeast: 6 } },
];

export const firstStatement: Bench = {
  name: 'first-statement',
  summary: 'from the call in the parent to the first JavaScript statement of the child',
  samples: 30,
  async run(node, samples) {
    const rows: Row[] = [];
    for (const { name, rssMiB, target } of apps) {
      await using rig = await Rig.open(node);
      const parent = await rig.startLarge(rssMiB);
      const size = rss(parent.pid).toFixed(0);
      const series = await interleave(
        samples,
        { childFork: () => parent.call('childForkSample'), fork: () => parent.call('forkSample') },
        3,
      );
      rows.push({
        what: `${name}, ${size} MiB`,
        unit: 'ms',
        sides: [
          { label: 'child_process.fork', samples: series.childFork.map((sample) => sample.child) },
          { label: 'fork', samples: series.fork.map((sample) => sample.child) },
        ],
        target,
      });
    }
    return rows;
  },
};
