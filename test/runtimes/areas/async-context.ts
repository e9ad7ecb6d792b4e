// AsyncLocalStorage and async_hooks: the context at the fork is the context after it, on both sides.
import assert from 'node:assert/strict';
import { AsyncLocalStorage, AsyncResource, createHook } from 'node:async_hooks';
import { readFile } from 'node:fs/promises';
import { inBoth } from '../support.js';

const storage = new AsyncLocalStorage<{ id: number; side?: number }>();

async function follow(id: number): Promise<void> {
  await storage.run({ id }, async () => {
    await readFile('/proc/self/comm');
    assert.equal(storage.getStore()?.id, id);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    assert.equal(storage.getStore()?.id, id);
  });
}

let made = 0;
const hook = createHook({ init: () => made++ }).enable();
await Promise.all(Array.from({ length: 20 }, (_, i) => follow(i)));
const resource = storage.run({ id: 99 }, () => new AsyncResource('area'));
await storage.run({ id: 1 }, () =>
  inBoth(async () => {
    const store = storage.getStore();
    assert.equal(store?.id, 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(storage.getStore(), store);
    assert.equal(
      resource.runInAsyncScope(() => storage.getStore()?.id),
      99,
    );
    const before = made;
    await Promise.all(Array.from({ length: 20 }, (_, i) => follow(i)));
    assert.ok(made > before);
  }),
);
hook.disable();
