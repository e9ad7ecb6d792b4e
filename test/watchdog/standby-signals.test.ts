import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFixture } from '../helpers/fixture.js';

test('a signal that its watchdog sends a spare worker with a place isn’t lost, though it hasn’t woken yet', async (t) => {
  const { stdout, stderr } = await runFixture(t, 'standby');
  assert.deepEqual(JSON.parse(stdout), { exitCode: null, signal: 'SIGTERM' }, stderr);
});
