import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Draws, repeated } from '../helpers/draws.js';
import { fixturePath } from '../helpers/fixture.js';
import { inPidNamespace, namespaceRefused } from '../helpers/namespace.js';
import { scenario } from '../helpers/scenario.js';

test('parent, children and grandchildren draw different random values', async (t) => {
  assert.deepEqual(repeated(await scenario<Draws[]>(t, 'random', ['main'])), []);
});

test('with frozen prototypes, too, a child draws values of its own', async (t) => {
  const options = { execArgv: ['--frozen-intrinsics', '--no-warnings'] };
  assert.deepEqual(repeated(await scenario<Draws[]>(t, 'random', ['main'], options)), []);
});

test('a Worker that loads the package draws different UUIDs, integers, bytes and keys in each process', async (t) => {
  const kinds = repeated(await scenario<Draws[]>(t, 'random', ['worker', 'true']));
  // V8 gives no way to another thread's Math.random(); docs/fork.md says so.
  assert.deepEqual(
    kinds.filter((kind) => kind !== 'Math.random'),
    [],
  );
});

test('a process with the pid of its dead grandparent draws values of its own', async (t) => {
  const refused = namespaceRefused();
  if (refused !== undefined || process.getuid?.() !== 0) return t.skip(refused ?? 'needs root: it chooses pids');
  const command = [process.execPath, fixturePath('random'), 'recycled', '4'];
  const { code, stdout, stderr } = await inPidNamespace(t, command);
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(repeated(JSON.parse(stdout)), []);
});
