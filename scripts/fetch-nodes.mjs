// Brings the Node versions that the package is tested with: the npm packages of Node's own binaries, kept in a cache.
// `node scripts/fetch-nodes.mjs [--arch x64|arm64] [20 22 24 26]` prints the path of each, one a line.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { output } from './run.mjs';
import { downloads } from './stage.mjs';

/** Every supported major version. */
export const MAJORS = ['20', '22', '24', '26'];

/** The path of a major version's `node`, downloaded when it isn't there yet. */
export function fetchNode(major, arch = process.arch) {
  const foreign = arch !== process.arch;
  const folder = join(downloads, foreign ? `node-${arch}-${major}` : `node-${major}`);
  const name = `node-linux-${arch}`;
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    // --prefix keeps npm from looking for a package.json above; the package has neither dependencies nor scripts.
    const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit'];
    // npm refuses a package for another processor otherwise.
    if (foreign) options.push('--force');
    output('npm', ['install', ...options, `${name}@${major}`]);
  }
  return node;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values, positionals } = parseArgs({
    options: { arch: { type: 'string', default: process.arch } },
    allowPositionals: true,
  });
  const majors = positionals.length > 0 ? positionals : MAJORS;
  for (const major of majors) process.stdout.write(`${fetchNode(major, values.arch)}\n`);
}
