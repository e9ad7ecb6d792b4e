import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench } from './lib/bench.js';
import { interleave } from './lib/stats.js';

const agent = fileURLToPath(new URL('agent/daemonize.js', import.meta.url));

/** From the call in the starter until it has exited, in ms. */
async function untilStarterExits(node: string, mode: 'fork' | 'exec'): Promise<number> {
  const starter = spawn(node, [agent, mode], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(starter, 'exit').then(([code]) => ({ code, at: process.hrtime.bigint() }));
  let said = '';
  for await (const chunk of starter.stdout) said += chunk;
  const { code, at } = await exited;
  if (code !== 0) throw new Error(`daemonize(${mode}): the starter exited with ${code}`);
  return Number(at - BigInt(said.trim())) / 1e6;
}

export const daemonizeModes: Bench = {
  name: 'daemonize',
  summary: 'from the call of daemonize() until the starter has exited',
  samples: 40,
  async run(node, samples) {
    const series = await interleave(
      samples,
      { exec: () => untilStarterExits(node, 'exec'), fork: () => untilStarterExits(node, 'fork') },
      3,
    );
    const sides = [
      { label: "mode 'exec'", samples: series.exec },
      { label: "mode 'fork'", samples: series.fork },
    ] as const;
    return [{ what: 'empty app', unit: 'ms', sides, target: { atLeast: 5 } }];
  },
};
