// Brings the pm2 that the benchmarks compare with, kept in a cache: prints the path of its command.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { output } from './run.mjs';
import { downloads } from './stage.mjs';

const folder = join(downloads, 'pm2-7');
const pm2 = join(folder, 'node_modules', 'pm2', 'bin', 'pm2');
if (!existsSync(pm2)) {
  mkdirSync(folder, { recursive: true });
  output('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', 'pm2@7']);
}
process.stdout.write(`${pm2}\n`);
