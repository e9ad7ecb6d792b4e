// A child's child's child, each with real work while its own child lives.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { inChild } from '../support.js';

async function generation(left: number): Promise<void> {
  const parent = process.pid;
  if (left === 0) return work();
  await inChild(async () => {
    assert.equal(process.ppid, parent);
    await generation(left - 1);
  }, work);
}

async function work(): Promise<void> {
  const stat = await readFile('/proc/self/stat', 'utf8');
  assert.equal(Number.parseInt(stat, 10), process.pid);
  assert.equal(String(await promisify(gunzip)(await promisify(gzip)(stat))), stat);
}

await generation(5);
