import type { Bench } from './lib/bench.js';
import { requestsPerSecond } from './lib/load.js';
import type { Row } from './lib/report.js';
import { type Agent, Rig } from './lib/rig.js';
import { interleave } from './lib/stats.js';

const works = {
  'hot loop': (agent: Agent) => agent.call('hotLoop'),
  'GC churn': (agent: Agent) => agent.call('churn'),
  'HTTP requests': async (agent: Agent) => {
    const speed = await requestsPerSecond(await agent.call('listen'), 4000);
    await agent.call('stopListening');
    return speed;
  },
};

/** Each app is forked once; several apps, because the luck of an address space stays with a process for its life. */
const apps = 3;

export const childSpeed: Bench = {
  name: 'child-speed',
  summary: 'how fast a forked child works, against its parent',
  samples: 15,
  async run(node, samples) {
    const rows = Object.keys(works).map((what) => ({ what, child: [] as number[], parent: [] as number[] }));
    for (let n = 0; n < apps; n++) {
      await using rig = await Rig.open(node);
      const parent = await rig.startLarge(100);
      for (const work of Object.values(works)) await work(parent);
      const child = await rig.fork(parent);
      for (const [index, work] of Object.values(works).entries()) {
        const speed = await interleave(Math.ceil(samples / apps), {
          child: () => work(child),
          parent: () => work(parent),
        });
        rows[index]?.child.push(...speed.child);
        rows[index]?.parent.push(...speed.parent);
      }
    }
    return rows.map(
      ({ what, child, parent }): Row => ({
        what,
        unit: '/s',
        sides: [
          { label: 'child', samples: child },
          { label: 'parent', samples: parent },
        ],
        target: { atLeast: 0.97 },
      }),
    );
  },
};
