import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runStorm } from '../storm/runner.js';

test('children forked under load from every kind of callback do their work and end with their own status', async () => {
  let output = '';
  const ok = await runStorm({
    node: process.execPath,
    command: [fileURLToPath(new URL('../storm/storm.js', import.meta.url)), '--forks', '60', '--alive', '8'],
    print: (text) => {
      output += text;
    },
  });
  assert.ok(ok, output);
  assert.match(output, /^forks 60, hung 0, crashed 0, wrong 0$/m);
});
