import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Faults, prepareFaults, ROLES, spread } from '../faults/runner.js';
import { MODES } from '../helpers/plain-daemon.js';

function faultsOf(t: TestContext): Faults {
  const faults = prepareFaults();
  t.after(() => faults.end());
  return faults;
}

for (const mode of MODES) {
  test(`by ${mode}: whoever of a start is killed, a whole daemon or nothing is left, and the next start succeeds`, async (t) => {
    const faults = faultsOf(t);
    const calls = await faults.count(mode, 'manual');
    for (const role of ROLES.keys()) {
      assert.ok((calls[role] as number) > 0);
      for (const at of spread(calls[role] as number, 2)) await faults.run({ mode, ready: 'manual', role, at });
    }
  });
}
