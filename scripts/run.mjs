// How the scripts run other programs: with their output shown, and with a failure that ends the script.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './stage.mjs';

/** A failure that needs no stack trace: its message is the script's last line. */
export class Failure extends Error {}

// A script's own throw of a Failure, wherever it happens, ends here.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error instanceof Failure ? error.message : error.stack}\n`);
  process.exit(1);
});

/** Runs a program in the foreground; its failure is the script's. */
export function run(file, args, options = {}) {
  const result = spawnSync(file, args, { cwd: root, stdio: 'inherit', ...options });
  check(file, args, result);
}

/** Runs a program and returns what it printed. */
export function output(file, args, options = {}) {
  const result = spawnSync(file, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20, ...options });
  check(file, args, result);
  return result.stdout;
}

function check(file, args, { error, status, signal, stdout, stderr }) {
  if (error?.code === 'ENOENT') throw new Failure(`${file} is not installed${debianPackage(file)}`);
  if (error) throw error;
  if (status === 0) return;
  const printed = [stdout, stderr].filter(Boolean).join('\n');
  throw new Failure(`${printed}\nFAILED (${signal ?? `exit code ${status}`}): ${file} ${args.join(' ')}`.trim());
}

/** What to install on Debian when a program is missing. */
function debianPackage(file) {
  const packages = {
    'aarch64-linux-gnu-g++': 'g++-aarch64-linux-gnu',
    'aarch64-linux-gnu-strip': 'g++-aarch64-linux-gnu',
    'clang-format': 'clang-format',
    'clang-tidy': 'clang-tidy',
    'g++': 'g++',
    readelf: 'binutils',
  };
  return packages[file] ? `; on Debian: apt-get install ${packages[file]}` : '';
}

/** The path of a program that a devDependency brings. */
export function bin(name) {
  return join(root, 'node_modules', '.bin', name);
}
