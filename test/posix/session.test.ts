import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { runFixture } from '../helpers/fixture.js';

test('setsid in a process group leader fails with EPERM, shaped as a system error', async (t) => {
  const { stdout } = await runFixture(t, 'session', ['setsid'], { detached: true });
  assert.deepEqual(JSON.parse(stdout), {
    code: 'EPERM',
    errno: -constants.errno.EPERM,
    syscall: 'setsid',
    message: 'EPERM: operation not permitted, setsid',
  });
});

test('setsid makes the caller the leader of a session and of a group', async (t) => {
  const { stdout } = await runFixture(t, 'session', ['setsid']);
  const seen = JSON.parse(stdout);
  assert.equal(seen.result, seen.pid);
  assert.equal(seen.sid, seen.pid);
  assert.equal(seen.pgid, seen.pid);
});
