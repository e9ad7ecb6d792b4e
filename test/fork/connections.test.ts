// What goes on between parent and child over HTTP, TLS and HTTP/2 is in test/runtimes/areas/connections.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scenario } from '../helpers/scenario.js';

test('a connection ends when the parent closes it, with a forked child that lives on', async (t) => {
  assert.deepEqual(await scenario(t, 'fork-connections', ['closed']), { got: 'the last words', closed: true });
});

test('with connections: share the child answers on a connection that the parent accepted', async (t) => {
  assert.deepEqual(await scenario(t, 'fork-connections', ['shared']), { got: 'from the child', exitCode: 0 });
});

test('fork refuses options that it does not know, and forks nothing', async (t) => {
  assert.deepEqual(await scenario(t, 'fork-connections', ['refused']), [
    'ERR_INVALID_ARG_TYPE',
    'ERR_INVALID_ARG_VALUE',
    'ERR_INVALID_ARG_VALUE',
    'ERR_INVALID_ARG_VALUE',
  ]);
});
