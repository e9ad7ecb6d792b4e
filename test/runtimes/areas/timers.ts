// Timers, immediates, ticks and microtasks; those pending at the fork fire in both processes.
import assert from 'node:assert/strict';
import { setImmediate as immediate, setTimeout as sleep, setInterval as ticks } from 'node:timers/promises';
import { inBoth } from '../support.js';

async function exercise(): Promise<void> {
  const order: string[] = [];
  await new Promise<void>((resolve) => {
    setTimeout(() => {
      setImmediate(() => resolve(void order.push('immediate')));
      process.nextTick(() => order.push('tick'));
      queueMicrotask(() => order.push('microtask'));
      order.push('timeout');
    }, 1);
  });
  assert.deepEqual(order, ['timeout', 'tick', 'microtask', 'immediate']);

  let rounds = 0;
  for await (const value of ticks(1, 'value')) {
    assert.equal(value, 'value');
    if (++rounds === 20) break;
  }
  assert.equal(await sleep(1, 'slept'), 'slept');
  assert.equal(await immediate('soon'), 'soon');

  const controller = new AbortController();
  const aborted = sleep(100_000, undefined, { signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, { name: 'AbortError' });
  const signal = AbortSignal.timeout(1);
  await new Promise((resolve) => {
    signal.addEventListener('abort', resolve);
    setTimeout(() => {}, 50); // the signal's own timer doesn't hold the loop
  });
  const chain = Array.from({ length: 300 }, (_, i) => sleep(i % 10, i));
  assert.deepEqual(
    await Promise.all(chain),
    Array.from({ length: 300 }, (_, i) => i),
  );
}

await exercise();

const fired: string[] = [];
const pending = [
  new Promise<void>((resolve) => setTimeout(() => resolve(void fired.push('timeout')), 20)),
  new Promise<void>((resolve) => setImmediate(() => resolve(void fired.push('immediate')))),
  new Promise<void>((resolve) => process.nextTick(() => resolve(void fired.push('tick')))),
];
let beats = 0;
const interval = setInterval(() => beats++, 1);
await inBoth(async () => {
  await Promise.all(pending);
  assert.deepEqual([...fired].sort(), ['immediate', 'tick', 'timeout']);
  const now = beats;
  while (beats < now + 5) await sleep(1);
  clearInterval(interval);
  await exercise();
});
