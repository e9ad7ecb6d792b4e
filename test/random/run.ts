// Draws random values of every kind, Node's and those of packages, in a parent, two children, grandchildren, and
// generations whose pids come again: no value may come twice, once each package's recipe of docs/random.md is in use.
//
//   npm run test:random [-- --node PATH]
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Draws, repeated } from '../helpers/draws.js';
import { fixturePath } from '../helpers/fixture.js';
import { namespaceCommand } from '../helpers/namespace.js';

const { values } = parseArgs({ options: { node: { type: 'string', default: process.execPath } } });
const fetch = fileURLToPath(new URL('../../../scripts/fetch-random.mjs', import.meta.url));
const folder = execFileSync(process.execPath, [fetch], { encoding: 'utf8' }).trim();

function kindsRepeated(scenario: readonly string[], recipes: string): string[] {
  const [file, args] = namespaceCommand([
    'sh',
    '-c',
    '"$@"; exit $?',
    'sh',
    values.node,
    fixturePath('random'),
    ...scenario,
  ]);
  const env = { ...process.env, RANDOM_PACKAGES: folder, RANDOM_RECIPES: recipes };
  const { status, stdout, stderr } = spawnSync(file, args, { env, encoding: 'utf8', maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${scenario.join(' ')} ended with ${status}: ${stderr}`);
  return repeated(JSON.parse(stdout) as Draws[]);
}

// A Worker's Math.random() can't be renewed (docs/fork.md).
const KNOWN = new Set(['Math.random']);
let failures = 0;
for (const [name, ...scenario] of [
  ['parent, children, grandchildren', 'main'],
  ['generations with pids that come again', 'recycled', '4'],
  ['a Worker that has loaded the package', 'worker', 'true'],
] as const) {
  const inWorker = scenario[0] === 'worker';
  // A package in a Worker has a store of its own, which no hook of the main thread reaches.
  const kinds = kindsRepeated(scenario, inWorker ? '' : '1').filter((kind) => !inWorker || !KNOWN.has(kind));
  failures += kinds.length;
  console.log(`${name}: ${kinds.length === 0 ? 'nothing came twice' : kinds.join(', ')}`);
}
console.log(`without recipes: ${kindsRepeated(['main'], '').join(', ')}`);
process.exitCode = failures > 0 ? 1 : 0;
