// Runs the storm with other allocators than the C library's own, as programs are run with LD_PRELOAD, and with a single
// arena of its own: where a lock lies, and which memory the process forks with, depends on them.
//
//   npm run test:allocators [-- --node PATH…] [--forks 2000] [--match REGEX]
//
// --node may be given more than once; without it, those that scripts/fetch-nodes.mjs knows. Prints the last line of each
// storm, all of those that fail; exit status 1 if there was one, or an allocator isn't installed.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fetchedNodes, versionOf } from '../helpers/nodes.js';
import { runStorm } from '../storm/runner.js';

interface Allocator {
  name: string;
  env: Record<string, string>;
  /** Debian's, if it isn't there. */
  missing?: string;
}

// Debian's folder for the libraries of an architecture.
const FOLDER = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;

function preloaded(name: string, file: string, debianPackage: string): Allocator {
  const path = `${FOLDER}/${file}`;
  return { name, env: { LD_PRELOAD: path }, ...(existsSync(path) ? {} : { missing: debianPackage }) };
}

const ALLOCATORS: readonly Allocator[] = [
  preloaded('jemalloc', 'libjemalloc.so.2', 'libjemalloc2'),
  preloaded('mimalloc', 'libmimalloc.so.2', 'libmimalloc2.0'),
  preloaded('tcmalloc', 'libtcmalloc_minimal.so.4', 'libtcmalloc-minimal4'),
  preloaded('tbbmalloc', 'libtbbmalloc_proxy.so.2', 'libtbbmalloc2'),
  { name: 'one arena', env: { MALLOC_ARENA_MAX: '1' } },
];

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', multiple: true },
    forks: { type: 'string', default: '2000' },
    match: { type: 'string', default: '' },
  },
});
const storm = fileURLToPath(new URL('../storm/storm.js', import.meta.url));
const nodes = options.node ?? fetchedNodes();
let failed = 0;
let runs = 0;
for (const { name, env, missing } of ALLOCATORS) {
  if (!new RegExp(options.match).test(name)) continue;
  for (const node of nodes) {
    runs++;
    const what = `${name}, Node ${versionOf(node)}`;
    let output = missing ? `not installed; on Debian: apt-get install ${missing}\n` : '';
    const print = (text: string) => {
      output += text;
    };
    const ok = !missing && (await runStorm({ node, env, command: [storm, '--forks', options.forks], print }));
    if (!ok) failed++;
    console.log(
      ok ? `${what}: ${output.trimEnd().split('\n').at(-1)}` : `FAILED ${what}\n${output.replace(/^/gm, '    ')}`,
    );
  }
}
console.log(`${runs} storms, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
