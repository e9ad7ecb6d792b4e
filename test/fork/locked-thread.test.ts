import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { compileFixture, needsCompiler } from '../helpers/compile.js';
import { temporaryDirectory } from '../helpers/exec.js';
import { scenario } from '../helpers/scenario.js';

function compileAddon(t: TestContext): string {
  const library = compileFixture('locked-thread', temporaryDirectory(t), ['-shared', '-fPIC', '-pthread']);
  renameSync(library, `${library}.node`);
  return `${library}.node`;
}

test(
  'a thread that sleeps with a recursive mutex every second time gives it back in each child',
  needsCompiler,
  async (t) => {
    const statuses = await scenario(t, 'locked-thread', ['hold', compileAddon(t), '8']);
    assert.deepEqual(statuses, Array(8).fill(0));
  },
);

test('a fork touches no guard page that a thread has the address of', needsCompiler, async (t) => {
  const statuses = await scenario(t, 'locked-thread', ['guard', compileAddon(t), '3']);
  if (statuses === null) return t.skip('the kernel has no MADV_GUARD_INSTALL');
  assert.deepEqual(statuses, [0, 0, 0]);
});
