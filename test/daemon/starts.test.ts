import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAll } from '../starts/runner.js';

for (const [mode, over, stale] of [
  ['fork', ' over a file that was left', true],
  ['exec', '', false],
] as const) {
  test(`by ${mode}: of 20 starts at the same moment${over} one succeeds`, async () => {
    const round = await startAll(mode, 20, stale);
    assert.deepEqual(round, { succeeded: 1, refused: 19, other: [], daemons: 1 });
  });
}
