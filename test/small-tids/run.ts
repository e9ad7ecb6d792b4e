// Forks processes whose tids are small numbers, as in a container, and which are full of such numbers: 64 MiB of what could
// be taken for locks that their threads hold. No byte may change, in parent or child, and the child may not be late.
// With --imitations, there are whole locks among it, and a Worker and the pool's threads have their addresses.
//
//   npm run test:small-tids [-- --node PATH] [--pids 1,2,8-10] [--forks 200] [--imitations]
//
// Prints for each pid how many bytes changed, and the time until the child's first statement divided by that of the same
// process with a large pid. Exit status 1 if a byte changed, or a child hung or
// failed; without imitations also if a call was refused with EAGAIN, or the child of an idle process is late.
import { parseArgs } from 'node:util';
import { namespaceRefused } from '../helpers/namespace.js';
import { asText, isGood } from './report.js';
import { forkWithPid } from './runner.js';

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    pids: { type: 'string', default: '1,2,3,8,16,24,32,48,64' },
    forks: { type: 'string', default: '200' },
    imitations: { type: 'boolean', default: false },
  },
});

const refused = namespaceRefused();
if (refused) {
  console.log(`small pids can't be had here: ${refused}`);
  process.exit(1);
}
const pids = options.pids.split(',').flatMap((part) => {
  const [first, last = first] = part.split('-').map(Number) as [number, number?];
  return Array.from({ length: last - first + 1 }, (_, n) => first + n);
});
let bad = 0;
for (const pid of pids) {
  const result = await forkWithPid({
    node: options.node,
    pid,
    forks: Number(options.forks),
    imitations: options.imitations,
  });
  console.log(asText(result));
  if (!isGood(result)) bad++;
}
console.log(`${pids.length} pids, ${bad} bad`);
process.exitCode = bad === 0 ? 0 : 1;
