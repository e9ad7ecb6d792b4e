// Brings the packages that make identifiers, kept in a cache: prints the folder that they are installed in.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { output } from './run.mjs';
import { cache } from './stage.mjs';

const PACKAGES = [
  'nanoid@5',
  'bson@7',
  'hyperid@4',
  'uuid@14',
  'ulid@3',
  '@paralleldrive/cuid2@3',
  'uuidv7@1',
  '@lukeed/uuid@2',
  'ksuid@3',
  '@napi-rs/uuid@0.2',
];
const home = process.env.XDG_CACHE_HOME ? join(process.env.XDG_CACHE_HOME, 'posix-daemon') : cache;
const folder = join(home, 'random');
if (!existsSync(join(folder, 'node_modules', '.package-lock.json'))) {
  mkdirSync(folder, { recursive: true });
  output('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', ...PACKAGES]);
}
process.stdout.write(`${folder}\n`);
