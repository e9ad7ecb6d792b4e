// Brings the Node versions that the package is tested with: the npm packages of Node's own binaries, kept in a cache.
// `node scripts/fetch-nodes.mjs [20 22 24 26]` prints the path of each, one a line.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { output } from './run.mjs';
import { cache } from './stage.mjs';

/** Every supported major version. */
export const MAJORS = ['20', '22', '24', '26'];

/** The path of a major version's `node`, downloaded when it isn't there yet. */
export function fetchNode(major) {
  const home = process.env.XDG_CACHE_HOME ? join(process.env.XDG_CACHE_HOME, 'posix-daemon') : cache;
  const folder = join(home, `node-${major}`);
  const name = `node-linux-${process.arch}`;
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    // --prefix keeps npm from looking for a package.json above; the package has neither dependencies nor scripts.
    output('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', `${name}@${major}`]);
  }
  return node;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const majors = process.argv.length > 2 ? process.argv.slice(2) : MAJORS;
  for (const major of majors) process.stdout.write(`${fetchNode(major)}\n`);
}
