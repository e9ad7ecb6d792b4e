import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { startFixture } from '../helpers/fixture.js';
import { scenario } from '../helpers/scenario.js';

test('in a forked child kill() of its parent’s programs returns false, and they live on', async (t) => {
  assert.deepEqual(await scenario(t, 'fork-children', ['kill']), {
    said: Array(3).fill([false, false, false]),
    alive: Array(3).fill('alive'),
  });
});

test('the exit handler of a program that kills its children harms none when a forked child exits', async (t) => {
  assert.equal(await scenario(t, 'fork-children', ['exitHandler']), 'alive');
});

test('a forked child ends by itself although its parent’s programs run', async (t) => {
  const UNSETTLED = 13;
  assert.equal(await scenario(t, 'fork-children', ['endsByItself']), UNSETTLED);
});

test('the end and the output of a program are reported to the parent alone', async (t) => {
  const { child, parent } = await scenario<{ child: number; parent: string[] }>(t, 'fork-children', ['events']);
  assert.equal(child, 0);
  assert.deepEqual(parent.toSorted(), ['close', 'exit', 'stdout close', 'stdout data', 'stdout end']);
});

test('a forked child has no IPC channel, and all messages reach the parent', async (t) => {
  const COUNT = 1000;
  const fixture = startFixture(t, 'fork-children', ['ownChannel'], { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
  await once(fixture.child, 'message');
  for (let n = 0; n < COUNT; n++) fixture.child.send(n);
  fixture.child.send('end');
  const { code, stdout, stderr } = await fixture.outcome;
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(JSON.parse(stdout), { said: [false, 'undefined', null], count: COUNT, exitCode: 0 });
});
