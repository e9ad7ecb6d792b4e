import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Failure, scenario } from '../helpers/scenario.js';

interface Logs {
  parent: string[];
  child: string[];
}

test('prepare hooks run in reverse order, parent and child hooks in the order of registration', async (t) => {
  const prepared = ['prepare c', 'prepare b', 'prepare a'];
  assert.deepEqual(await scenario<Logs>(t, 'fork-hooks', ['order']), {
    parent: [...prepared, 'parent a', 'parent b', 'parent c'],
    child: [...prepared, 'child a', 'child b', 'child c'],
  });
});

test('a hook that was removed is not called, and can be removed again', async (t) => {
  assert.deepEqual(await scenario<Logs>(t, 'fork-hooks', ['removed']), {
    parent: ['prepare a', 'parent a'],
    child: ['prepare a', 'child a'],
  });
});

test('what the child registers is called when it forks itself, and not in the parent', async (t) => {
  assert.deepEqual(await scenario<Logs>(t, 'fork-hooks', ['inherited']), {
    parent: [],
    child: ['prepare b', 'child b'],
  });
});

test('each of the hooks may be left out', async (t) => {
  assert.deepEqual(await scenario<Logs>(t, 'fork-hooks', ['partial']), {
    parent: ['prepare'],
    child: ['prepare', 'child'],
  });
});

test('what a hook registers is called from the next fork on', async (t) => {
  assert.deepEqual(await scenario<Logs>(t, 'fork-hooks', ['addedWithin']), { parent: [], child: [] });
});

test('a prepare hook that throws prevents the fork, and undoes what was prepared', async (t) => {
  type Prevented = { failure: Failure; log: string[]; noChild: string };
  const { failure, log, noChild } = await scenario<Prevented>(t, 'fork-hooks', ['throwingPrepare']);
  assert.equal(failure.message, 'prepare b');
  assert.deepEqual(log, ['prepare c', 'prepare b', 'parent c']);
  assert.equal(noChild, 'ECHILD');
});

test('when a parent hook throws the others are called, and fork throws its error', async (t) => {
  type Thrown = { failure: Failure; log: string[] };
  const { failure, log } = await scenario<Thrown>(t, 'fork-hooks', ['throwingParent']);
  assert.equal(failure.message, 'parent a');
  assert.deepEqual(log, ['prepare b', 'parent a', 'parent b']);
});

test('when a child hook throws the others are called, and fork throws its error in the child', async (t) => {
  type Thrown = { failure: string; log: string[] };
  const { failure, log } = await scenario<Thrown>(t, 'fork-hooks', ['throwingChild']);
  assert.equal(failure, 'child b');
  assert.deepEqual(log, ['prepare c', 'prepare a', 'child a', 'child b', 'child c']);
});

test('atfork refuses what is no object of functions', async (t) => {
  const failures = await scenario<Failure[]>(t, 'fork-hooks', ['badHooks']);
  assert.deepEqual(
    failures.map(({ code }) => code),
    ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_TYPE'],
  );
});
