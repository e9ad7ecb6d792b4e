// The package and its storm on arm64: in an emulated machine with Debian's kernel, once under a shell and once as PID 1.
//
//   npm run test:arm64 [-- --node MAJOR…] [--forks 120]
//
// --node may be given more than once; without it, all that are supported. Prints the machine's console; exit status 1
// if one of them failed.
import { parseArgs } from 'node:util';
import { foreignNodes, Machine } from './machine.js';

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', multiple: true },
    forks: { type: 'string', default: '120' },
  },
});

using machine = new Machine();
const results: string[] = [];
for (const node of foreignNodes(options.node)) {
  const started = performance.now();
  const seconds = () => ((performance.now() - started) / 1000).toFixed(0);
  const failure = await machine.run(node, Number(options.forks), (line) => {
    console.log(`${node.version} ${seconds().padStart(4)} s | ${line}`);
  });
  if (failure) process.exitCode = 1;
  results.push(`arm64, Node ${node.version}, twice ${options.forks} forks in ${seconds()} s: ${failure ?? '0 bad'}`);
}
console.log(results.join('\n'));
