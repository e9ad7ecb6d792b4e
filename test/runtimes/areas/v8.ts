// What node:v8 offers: a heap snapshot, statistics, serialization.
import assert from 'node:assert/strict';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import * as v8 from 'node:v8';
import { inBoth, scratchFolder } from '../support.js';

const folder = scratchFolder();

async function exercise(): Promise<void> {
  const file = v8.writeHeapSnapshot(join(folder, `${process.pid}.heapsnapshot`));
  assert.ok(statSync(file).size > 100_000);
  rmSync(file);
  const snapshot = JSON.parse(await text(v8.getHeapSnapshot()));
  assert.ok(snapshot.snapshot.node_count > 1000);
  assert.ok(v8.getHeapStatistics().used_heap_size > 0);
  const value = { map: new Map([[1, new Set(['a'])]]), date: new Date(0), big: 2n ** 70n };
  assert.deepEqual(v8.deserialize(v8.serialize(value)), value);
  assert.deepEqual(structuredClone(value), value);
}

await exercise();
await inBoth(exercise);
