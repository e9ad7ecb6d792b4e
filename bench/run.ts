// npm run bench -- NAME…: runs benchmarks and prints what they found. Without a name it lists them.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { childSpeed } from './child-speed.js';
import { daemonizeModes } from './daemonize.js';
import { firstStatement } from './first-statement.js';
import { forkCost } from './fork-cost.js';
import { forkExec } from './fork-exec.js';
import type { Bench } from './lib/bench.js';
import { asJson, asText } from './lib/report.js';
import { memory } from './memory.js';
import { pool } from './pool.js';
import { spawnAfterFork } from './spawn-after-fork.js';
import { startCommand } from './start-command.js';
import { watchdogBack, watchdogDeath } from './watchdog.js';

const benches: readonly Bench[] = [
  firstStatement,
  forkCost,
  childSpeed,
  memory,
  spawnAfterFork,
  forkExec,
  daemonizeModes,
  startCommand,
  watchdogBack,
  watchdogDeath,
  pool,
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    samples: { type: 'string' },
  },
});

function usage(): string {
  const width = Math.max(...benches.map(({ name }) => name.length));
  const list = benches.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `npm run bench -- NAME… | all [--node PATH]… [--samples N] [--json]\n\n${list.join('\n')}\n`;
}

function misuse(problem: string): never {
  process.stderr.write(`${problem}\n\n${usage()}`);
  process.exit(2);
}

function chosen(): Bench[] {
  if (positionals.includes('all')) return [...benches];
  return positionals.map((wanted) => {
    const bench = benches.find(({ name }) => name === wanted);
    if (!bench) misuse(`no benchmark is called ${wanted}`);
    return bench;
  });
}

function sampleCount(fallback: number): number {
  const count = Number(values.samples ?? fallback);
  if (!Number.isInteger(count) || count < 1) misuse(`--samples takes a whole number, not ${values.samples}`);
  return count;
}

function versionOf(node: string): string {
  const { stdout, error } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (error) throw error;
  return stdout.trim();
}

if (positionals.length === 0) process.stdout.write(usage());
const reports: object[] = [];
for (const bench of chosen()) {
  for (const node of values.node) {
    const { name, summary } = bench;
    const rows = await bench.run(node, sampleCount(bench.samples));
    const report = { bench: name, summary, node: versionOf(node), rows };
    if (values.json) reports.push(asJson(report));
    else process.stdout.write(`${asText(report)}\n`);
  }
}
if (values.json) process.stdout.write(`${JSON.stringify(reports, null, 2)}\n`);
