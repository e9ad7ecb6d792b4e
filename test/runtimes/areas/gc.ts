// The garbage collector: forced collections, incremental and concurrent ones under growth, weak references, finalizers.
import assert from 'node:assert/strict';
import { until } from '../../helpers/fixture.js';
import { inBoth } from '../support.js';

const collect = globalThis.gc as (options?: { type: 'minor' | 'major' }) => void;

async function exercise(): Promise<void> {
  collect();
  for (let i = 0; i < 20; i++) collect({ type: 'minor' });

  const kept: unknown[] = [];
  for (let i = 0; i < 400_000; i++) {
    kept.push({ i, text: `value ${i}`, list: [i, i + 1] });
    if (i % 3 === 0) kept[i >> 1] = { again: i };
  }
  const buffers = Array.from({ length: 200 }, (_, i) => Buffer.alloc(256 << 10, i));
  assert.equal(buffers[7]?.[1000], 7);
  const { heapUsed } = process.memoryUsage();
  kept.length = 0;
  buffers.length = 0;
  collect();
  assert.ok(process.memoryUsage().heapUsed < heapUsed);

  const finalized = new Promise((resolve) => {
    const registry = new FinalizationRegistry(resolve);
    registry.register({}, 'gone');
    keep = registry;
  });
  let weak: WeakRef<object> | undefined;
  (() => {
    weak = new WeakRef({});
  })();
  const hold = setInterval(() => collect(), 5);
  assert.equal(await finalized, 'gone');
  await until('the object is gone', () => weak?.deref() === undefined);
  clearInterval(hold);
}
let keep: unknown; // a registry that is collected itself calls nobody

await exercise();
const grown = Array.from({ length: 200_000 }, (_, i) => ({ i, text: String(i) }));
await inBoth(async () => {
  await exercise();
  assert.equal(grown[199_999]?.text, '199999');
});
assert.ok(keep);
