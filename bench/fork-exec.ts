import type { Bench } from './lib/bench.js';
import { rss } from './lib/proc.js';
import type { Row } from './lib/report.js';
import { Rig } from './lib/rig.js';
import { interleave } from './lib/stats.js';

const moments = { returned: 'until the call returns', ended: 'until the program has ended' } as const;

export const forkExec: Bench = {
  name: 'fork-exec',
  summary: "starting '/bin/true' with Node's own calls, against forkExec",
  samples: 60,
  async run(node, samples) {
    const rows: Row[] = [];
    for (const rssMiB of [0, 200]) {
      await using rig = await Rig.open(node);
      const parent = await rig.startLarge(rssMiB);
      const size = rss(parent.pid).toFixed(0);
      const series = await interleave(
        samples,
        {
          forkExec: () => parent.call('forkExecSample'),
          spawn: () => parent.call('spawnSample'),
          spawnSync: () => parent.call('spawnSyncSample'),
        },
        5,
      );
      for (const other of ['spawn', 'spawnSync'] as const) {
        for (const moment of ['returned', 'ended'] as const) {
          rows.push({
            what: `${size} MiB, ${moments[moment]}`,
            unit: 'ms',
            sides: [
              { label: other, samples: series[other].map((sample) => sample[moment]) },
              { label: 'forkExec', samples: series.forkExec.map((sample) => sample[moment]) },
            ],
            target: { atLeast: 1 },
          });
        }
      }
    }
    return rows;
  },
};
