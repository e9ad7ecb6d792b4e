// Signals a watchdog and all that is under it at random, and verifies that it always comes back to what it should be.
//
//   npm run test:watchdog-storm [-- --node PATH] [--signals 5000] [--seed N] [--command]
//
// Prints `signals N, wedged 0, doubled 0, orphans 0, zombies 0, …`; exit status 1 unless those are 0.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runStorm } from '../../storm/runner.js';

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    signals: { type: 'string', default: '5000' },
    seed: { type: 'string', default: `${Date.now() % 2 ** 31}` },
    command: { type: 'boolean', default: false },
  },
});
const storm = fileURLToPath(new URL('storm.js', import.meta.url));
const ok = await runStorm({
  node: options.node,
  command: [storm, '--signals', options.signals, '--seed', options.seed, ...(options.command ? ['--command'] : [])],
  print: (text) => process.stdout.write(text),
});
process.exitCode = ok ? 0 : 1;
