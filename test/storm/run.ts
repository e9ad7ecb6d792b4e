// Forks thousands of times under load, from every kind of callback, and verifies what each child did.
//
//   npm run test:storm [-- --node PATH] [--forks 2000] [--alive 8] [--preload LIBRARY] [--env NAME=VALUE…]
//
// --preload has the dynamic linker load a library first, such as one with another allocator; --env may be repeated.
// Prints `forks N, hung N, crashed N, wrong N`; exit status 1 unless the last three are 0.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runStorm } from './runner.js';

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    forks: { type: 'string', default: '2000' },
    alive: { type: 'string', default: '8' },
    preload: { type: 'string' },
    env: { type: 'string', multiple: true, default: [] },
  },
});
const storm = fileURLToPath(new URL('storm.js', import.meta.url));
const ok = await runStorm({
  node: options.node,
  env: {
    ...Object.fromEntries(options.env.map((pair) => pair.split(/=(.*)/s, 2))),
    ...(options.preload ? { LD_PRELOAD: options.preload } : {}),
  },
  command: [storm, '--forks', options.forks, '--alive', options.alive],
  print: (text) => process.stdout.write(text),
});
process.exitCode = ok ? 0 : 1;
