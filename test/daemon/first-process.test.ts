import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fixturePath, startProgram } from '../helpers/fixture.js';
import { namespaceCommand, namespaceRefused } from '../helpers/namespace.js';

const refused = namespaceRefused();

for (const mode of ['fork', 'exec'] as const) {
  /** The fixture is the namespace's first process itself. */
  const start = (t: TestContext, how: string) =>
    startProgram(t, ...namespaceCommand([process.execPath, fixturePath('first-process'), mode, how]));

  test(`a first process whose daemon exits by itself exits with the same code, by ${mode}`, async (t) => {
    if (refused) return t.skip(refused);
    const { code, stderr } = await start(t, 'exits').outcome;
    assert.deepEqual({ code, stderr }, { code: 7, stderr: '' });
  });

  test(`a first process whose daemon dies of a signal exits with 128 and its number, by ${mode}`, async (t) => {
    if (refused) return t.skip(refused);
    const { code } = await start(t, 'dies').outcome;
    assert.equal(code, 128 + 11);
  });

  test(`a first process passes SIGTERM on to its daemon, by ${mode}`, async (t) => {
    if (refused) return t.skip(refused);
    const namespace = start(t, 'waits');
    assert.equal(await namespace.line(), 'ready');
    // unshare's own child.
    const [first] = readFileSync(`/proc/${namespace.pid}/task/${namespace.pid}/children`, 'latin1').split(' ');
    process.kill(Number(first), 'SIGTERM');
    assert.equal((await namespace.outcome).code, 3);
  });

  test(`a first process reaps what is orphaned, by ${mode}`, async (t) => {
    if (refused) return t.skip(refused);
    const { code, stderr } = await start(t, 'orphans').outcome;
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  });
}
