// Worker threads made before the fork live on in both processes, whatever they were doing: waiting for a message,
// computing, asleep in Atomics.wait, waiting for the pool.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { inBoth } from '../support.js';

const echo = new Worker(
  `const { parentPort } = require('worker_threads');
   parentPort.on('message', (n) => parentPort.postMessage({ square: n * n, pid: process.pid }));`,
  { eval: true },
);
const memory = new Int32Array(new SharedArrayBuffer(12));
const asleep = new Worker(
  `const { parentPort, workerData } = require('worker_threads');
   Atomics.store(workerData, 2, 1);
   Atomics.wait(workerData, 0, 0);
   parentPort.postMessage('awake');`,
  { eval: true, workerData: memory },
);
const counting = new Worker(
  `const { workerData } = require('worker_threads');
   for (let junk = []; ; junk = junk.length > 100 ? [] : junk) { junk.push({ x: [] }); Atomics.add(workerData, 1, 1); }`,
  { eval: true, workerData: memory },
);
const pooled = new Worker(
  `const { parentPort } = require('worker_threads');
   const { pbkdf2 } = require('crypto');
   let rounds = 0;
   (function next() { pbkdf2('a', 'b', 500, 16, 'sha1', () => { rounds++; next(); }); })();
   parentPort.on('message', () => parentPort.postMessage(rounds));`,
  { eval: true },
);

async function square(n: number): Promise<void> {
  echo.postMessage(n);
  const [answer] = await once(echo, 'message');
  assert.equal(answer.square, n * n);
}

async function poolRounds(atLeast: number): Promise<number> {
  for (;;) {
    pooled.postMessage('how many?');
    const [rounds] = await once(pooled, 'message');
    if (rounds >= atLeast) return rounds;
  }
}

await square(3);
await poolRounds(1);
while (Atomics.load(memory, 1) < 1000 || Atomics.load(memory, 2) === 0) await new Promise(setImmediate);

await inBoth(async () => {
  for (let n = 0; n < 50; n++) await square(n);

  const before = Atomics.load(memory, 1);
  while (Atomics.load(memory, 1) < before + 1000) await new Promise(setImmediate);
  assert.equal(await counting.terminate(), 1);

  const woken = once(asleep, 'message');
  Atomics.store(memory, 0, 1);
  assert.equal(Atomics.notify(memory, 0), 1);
  assert.deepEqual(await woken, ['awake']);

  await poolRounds((await poolRounds(0)) + 5);
  await pooled.terminate();

  const late = new Worker('require("worker_threads").parentPort.postMessage(process.pid)', { eval: true });
  assert.deepEqual(await once(late, 'message'), [process.pid]);
  assert.equal(await echo.terminate(), 1);
});
