import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { children, scannedChildren } from '#dist/watchdog/processes.js';

test('the children of a process are found with the kernel’s list and without', (t) => {
  const spawned = [1, 2].map(() => spawn('sleep', ['1000'], { stdio: 'ignore' }));
  t.after(() => spawned.forEach((one) => void one.kill('SIGKILL')));
  for (const { pid } of spawned) {
    assert.ok(children().includes(pid as number));
    assert.ok(scannedChildren(process.pid).includes(pid as number));
  }
  assert.deepEqual(scannedChildren(spawned[0]?.pid as number), []);
  assert.deepEqual(children(spawned[0]?.pid as number), []);
});
