import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaceRefused } from '../helpers/namespace.js';
import { asText, changedBytes } from '../small-tids/report.js';
import { forkWithPid } from '../small-tids/runner.js';

for (const pid of [1, 8]) {
  test(`a fork with the pid ${pid} changes no byte of what only looks like held locks`, async (t) => {
    const refused = namespaceRefused();
    if (refused) return t.skip(refused);
    const result = await forkWithPid({ node: process.execPath, pid, forks: 20 });
    assert.deepEqual([result.failures, changedBytes(result)], [[], 0], asText(result));
    assert.ok(result.refused <= result.forks, asText(result));
  });
}
