import type { Bench } from './lib/bench.js';
import { buildNative } from './lib/native.js';
import { rss } from './lib/proc.js';
import type { Row } from './lib/report.js';
import { Rig } from './lib/rig.js';
import { interleave } from './lib/stats.js';

const apps = [
  { rssMiB: 0, target: { atMost: 3 } },
  { rssMiB: 200, target: { atMost: 2 } },
];
const moments = { returned: 'until the parent goes on', child: 'until the child runs' } as const;

export const forkCost: Bench = {
  name: 'fork-cost',
  summary: 'what fork costs beyond the bare clone system call of the same process',
  samples: 60,
  async run(node, samples) {
    buildNative();
    const rows: Row[] = [];
    for (const { rssMiB, target } of apps) {
      await using rig = await Rig.open(node);
      const parent = await rig.startLarge(rssMiB);
      const size = rss(parent.pid).toFixed(0);
      const series = await interleave(
        samples,
        { fork: () => parent.call('forkSample'), clone: () => parent.call('rawCloneSample') },
        5,
      );
      for (const moment of ['returned', 'child'] as const) {
        rows.push({
          what: `${size} MiB, ${moments[moment]}`,
          unit: 'ms',
          sides: [
            { label: 'fork', samples: series.fork.map((sample) => sample[moment]) },
            { label: 'raw clone', samples: series.clone.map((sample) => sample[moment]) },
          ],
          target,
        });
      }
    }
    return rows;
  },
};
