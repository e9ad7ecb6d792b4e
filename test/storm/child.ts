// What each child of the storm does before it ends with the status that is expected of it: a bit of everything that a
// thread, a descriptor or a lock of the parent's could spoil.
import assert from 'node:assert/strict';
import { createHash, pbkdf2, pbkdf2Sync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gunzip, gzip } from 'node:zlib';

const file = fileURLToPath(import.meta.url);
const expectedHash = hashOf(readFileSync(file));
const expectedKey = pbkdf2Sync('secret', 'salt', 1000, 32, 'sha256');

/** The status with which child number `index` ends when all went well. */
export function statusOf(index: number): number {
  return index % 256;
}

/** Never returns: the process ends, with another status if something went wrong. */
export async function work(index: number): Promise<never> {
  process.on('uncaughtException', (error) => fail(index, error));
  try {
    await Promise.all([wait(), read(), compress(), derive(), ...(index % 4 === 0 ? [think()] : [])]);
    allocate();
  } catch (error) {
    fail(index, error);
  }
  return process.exit(statusOf(index));
}

function fail(index: number, error: unknown): never {
  console.error(`child ${index} (pid ${process.pid}):`, error);
  process.exit(statusOf(index + 1));
}

async function wait(): Promise<void> {
  for (let i = 0; i < 3; i++) assert.equal(await sleep(1, i), i);
}

async function read(): Promise<void> {
  assert.equal(hashOf(await readFile(file)), expectedHash);
}

async function compress(): Promise<void> {
  const bytes = Buffer.alloc(50_000, `what ${process.pid} compresses`);
  assert.ok((await promisify(gunzip)(await promisify(gzip)(bytes))).equals(bytes));
}

async function derive(): Promise<void> {
  assert.ok((await promisify(pbkdf2)('secret', 'salt', 1000, 32, 'sha256')).equals(expectedKey));
}

async function think(): Promise<void> {
  const worker = new Worker('require("worker_threads").parentPort.postMessage(6 * 7)', { eval: true });
  const [[answer], [status]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  assert.deepEqual([answer, status], [42, 0]);
}

// Enough for a few young collections.
function allocate(): void {
  let sum = 0;
  for (let round = 0; round < 20; round++) {
    const items = Array.from({ length: 2000 }, (_, i) => ({ i, text: String(i), list: [i] }));
    sum += items.reduce((total, { text, list }) => total + text.length + (list[0] as number), 0);
  }
  assert.equal(sum, 20 * (1999 * 1000 + 10 + 2 * 90 + 3 * 900 + 4 * 1000));
}

function hashOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
