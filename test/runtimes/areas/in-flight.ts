// Work under way at the fork: what the pool computes, and answers that are due, come in both processes.
import assert from 'node:assert/strict';
import { pbkdf2, pbkdf2Sync } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzipSync, gzip } from 'node:zlib';
import { inBoth, sampleBytes } from '../support.js';

const bytes = sampleBytes(500_000);
const expected = pbkdf2Sync('secret', 'salt', 20_000, 32, 'sha512');
for (let round = 0; round < 5; round++) {
  // More than the pool's four threads: some run, some are queued, some have finished when the fork comes.
  const keys = Array.from({ length: 6 }, () => promisify(pbkdf2)('secret', 'salt', 20_000, 32, 'sha512'));
  const packed = Array.from({ length: 4 }, () => promisify(gzip)(bytes));
  const names = Array.from({ length: 4 }, () => lookup('localhost', { family: 4 }));
  const stats = Array.from({ length: 20 }, () => stat('/proc/self'));
  for (let i = 0; i < round; i++) await new Promise(setImmediate);
  await inBoth(async () => {
    for (const key of await Promise.all(keys)) assert.ok(key.equals(expected));
    for (const one of await Promise.all(packed)) assert.ok(gunzipSync(one).equals(bytes));
    for (const { address } of await Promise.all(names)) assert.equal(address, '127.0.0.1');
    for (const one of await Promise.all(stats)) assert.ok(one.isDirectory());
  });
}
