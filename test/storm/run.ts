// Forks thousands of times under load, from every kind of callback, and verifies what each child did.
//
//   npm run test:storm [-- --node PATH] [--forks 2000] [--alive 8]
//
// Prints `forks N, hung N, crashed N, wrong N`; exit status 1 unless the last three are 0.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runStorm } from './runner.js';

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    forks: { type: 'string', default: '2000' },
    alive: { type: 'string', default: '8' },
  },
});
const storm = fileURLToPath(new URL('storm.js', import.meta.url));
const ok = await runStorm({
  node: options.node,
  command: [storm, '--forks', options.forks, '--alive', options.alive],
  print: (text) => process.stdout.write(text),
});
process.exitCode = ok ? 0 : 1;
