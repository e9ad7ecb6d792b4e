// The suite of test/runtimes on the Node that runs the tests; `npm run test:runtimes` does the others.
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { suite, test } from 'node:test';
import { areas, DEPTHS, type Depth, run } from '../runtimes/runner.js';

const PLACES: Record<Depth, string> = {
  unforked: 'a process that has not forked',
  child: 'a forked child',
  grandchild: "a forked child's child",
};

suite('what a program does works in', { concurrency: availableParallelism() }, () => {
  for (const depth of Object.keys(DEPTHS) as Depth[]) {
    for (const area of areas()) {
      test(`${PLACES[depth]}: ${area}`, async () => {
        const { ok, output } = await run({ node: process.execPath, area, depth });
        assert.ok(ok, output);
      });
    }
  }
});
