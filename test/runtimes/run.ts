// Runs every area of the suite unforked, in a forked child and in a grandchild, on each Node given.
//
//   npm run test:runtimes [-- --node PATH…] [--match REGEX] [--jobs N] [--times N]
//
// --node may be given more than once; without it, the running Node and those that scripts/fetch-nodes.mjs knows.
// Prints each combination that fails with its output; exit status 1 if there was one.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { fetchedNodes, versionOf } from '../helpers/nodes.js';
import { areas, type Combination, DEPTHS, type Depth, type Result, run } from './runner.js';

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', multiple: true },
    match: { type: 'string', default: '' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    times: { type: 'string', default: '1' },
  },
});

const nodes = options.node ?? [process.execPath, ...fetchedNodes()];
const names = new Map(nodes.map((node) => [node, versionOf(node)]));
const wanted = areas().filter((area) => new RegExp(options.match).test(area));
const queue: Combination[] = Array.from({ length: Number(options.times) }, () => nodes).flatMap((round) =>
  round.flatMap((node) =>
    wanted.flatMap((area) => (Object.keys(DEPTHS) as Depth[]).map((depth) => ({ node, area, depth }))),
  ),
);

const started = performance.now();
const failed: Result[] = [];
const total = queue.length;
await Promise.all(Array.from({ length: Number(options.jobs) }, work));
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `${[...names.values()].join(', ')}: ${wanted.length} areas, ${total} runs in ${seconds} s, ${failed.length} failed`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const result = await run(next);
    if (result.ok) continue;
    failed.push(result);
    console.log(
      `FAILED ${result.area}, ${result.depth}, ${names.get(result.node)}\n${result.output.replace(/^/gm, '    ')}`,
    );
  }
}
