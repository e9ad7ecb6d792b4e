// Kills watchdogs, and verifies that nothing of what their workers had started outlives them.
//
//   npm run test:watchdog-deaths [-- --node PATH] [--runs 1000]
//
// Prints `runs N, survivors 0`; exit status 1 unless there are none.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runStorm } from '../../storm/runner.js';

const { values: options } = parseArgs({
  options: { node: { type: 'string', default: process.execPath }, runs: { type: 'string', default: '1000' } },
});
const deaths = fileURLToPath(new URL('deaths.js', import.meta.url));
const ok = await runStorm({
  node: options.node,
  command: [deaths, options.runs],
  print: (text) => process.stdout.write(text),
});
process.exitCode = ok ? 0 : 1;
