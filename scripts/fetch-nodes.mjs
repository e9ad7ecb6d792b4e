// Brings the Node versions that the package is tested with: the npm packages of Node's own binaries, kept in a cache.
// `node scripts/fetch-nodes.mjs [--arch x64|arm64] [--present] [20 22 24 26]` prints the path of each, one a line; with
// --present, of those that are in the cache already.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { output } from './run.mjs';
import { downloads } from './stage.mjs';

/** Every supported major version. */
export const MAJORS = ['20', '22', '24', '26'];

const packageOf = (arch) => `node-linux-${arch}`;

function folderOf(major, arch) {
  return join(downloads, arch === process.arch ? `node-${major}` : `node-${arch}-${major}`);
}

function pathOf(major, arch) {
  return join(folderOf(major, arch), 'node_modules', packageOf(arch), 'bin', 'node');
}

/** The path of a major version's `node`, downloaded when it isn't there yet. */
export function fetchNode(major, arch = process.arch) {
  const folder = folderOf(major, arch);
  const name = packageOf(arch);
  const node = pathOf(major, arch);
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    // --prefix keeps npm from looking for a package.json above; the package has neither dependencies nor scripts.
    const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit'];
    // npm refuses a package for another processor otherwise.
    if (arch !== process.arch) options.push('--force');
    output('npm', ['install', ...options, `${name}@${major}`]);
  }
  return node;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    options: { arch: { type: 'string', default: process.arch }, present: { type: 'boolean' } },
    allowPositionals: true,
  });
  const majors = positionals.length > 0 ? positionals : MAJORS;
  const nodes = values.present
    ? majors.map((major) => pathOf(major, values.arch)).filter(existsSync)
    : majors.map((major) => fetchNode(major, values.arch));
  for (const node of nodes) process.stdout.write(`${node}\n`);
}
