// Parent, child and a second child never draw the same random values, though Node keeps batches of them ready.
import assert from 'node:assert/strict';
import * as crypto from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { forked, scratchFolder } from '../support.js';

const folder = scratchFolder();
const SOURCES: Record<string, () => unknown> = {
  'Math.random': () => Math.random(),
  randomUUID: () => crypto.randomUUID(),
  'randomUUID without the cache': () => crypto.randomUUID({ disableEntropyCache: true }),
  'webcrypto.randomUUID': () => crypto.webcrypto.randomUUID(),
  randomInt: () => crypto.randomInt(2 ** 48 - 1),
  'randomInt with a callback': () => promisify<number, number>(crypto.randomInt)(2 ** 48 - 1),
  randomBytes: () => crypto.randomBytes(8).toString('hex'),
  'randomBytes with a callback': async () => (await promisify(crypto.randomBytes)(8)).toString('hex'),
  getRandomValues: () => crypto.webcrypto.getRandomValues(new BigUint64Array(1)).join(),
  generateKey: async () => (await promisify(crypto.generateKey)('hmac', { length: 64 })).export().toString('hex'),
};
type Draws = Record<string, unknown[]>;

// More than any of Node's batches: 64 for Math.random, 128 UUIDs, 1,024 integers.
async function draw(): Promise<Draws> {
  const draws: Draws = {};
  for (const [name, source] of Object.entries(SOURCES)) {
    draws[name] = await Promise.all(Array.from({ length: name.startsWith('randomInt') ? 2500 : 300 }, source));
  }
  return draws;
}

for (const source of Object.values(SOURCES)) await source(); // fill the batches
const children = ['first', 'second'].map((name) => [name, join(folder, name)] as const);
const sides: Draws[] = [];
for (const [, file] of children) {
  const { exitCode } = await forked(async () => writeFileSync(file, JSON.stringify(await draw())));
  assert.equal(exitCode, 0);
  sides.push(JSON.parse(readFileSync(file, 'utf8')));
}
sides.push(await draw());

for (const name of Object.keys(SOURCES)) {
  const all = sides.flatMap((side) => side[name] as unknown[]);
  assert.equal(new Set(all).size, all.length, `${name} gave the same value twice`);
}
