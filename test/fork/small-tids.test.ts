import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespaceRefused } from '../helpers/namespace.js';
import { asText, changedBytes } from '../small-tids/report.js';
import { forkWithPid } from '../small-tids/runner.js';

for (const pid of [1, 8]) {
  for (const imitations of [false, true]) {
    const what = imitations ? 'imitations of held locks' : 'runs of 0 and 1 and other small numbers';
    test(`a fork with the pid ${pid} changes no byte of ${what}`, async (t) => {
      const refused = namespaceRefused();
      if (refused) return t.skip(refused);
      const result = await forkWithPid({ node: process.execPath, pid, forks: imitations ? 6 : 20, imitations });
      assert.deepEqual([result.failures, changedBytes(result)], [[], 0], asText(result));
      if (!imitations) assert.equal(result.refused, 0, asText(result));
    });
  }
}
