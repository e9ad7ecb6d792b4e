// Builds the benchmarks' own addon when it is missing or older than its source.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

// From out/bench/lib.
const folder = new URL('../../../bench/native/', import.meta.url);
const require = createRequire(import.meta.url);

function modified(name: string): number {
  return statSync(new URL(name, folder), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

export function buildNative(): void {
  if (modified('build/Release/bench.node') > Math.max(modified('raw_clone.cc'), modified('binding.gyp'))) return;
  const nodeGyp = require.resolve('node-gyp/bin/node-gyp.js');
  const { status, stderr } = spawnSync(process.execPath, [nodeGyp, 'rebuild'], {
    cwd: fileURLToPath(folder),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`could not build bench/native:\n${stderr}`);
}
