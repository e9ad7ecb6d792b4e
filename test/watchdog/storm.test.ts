import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { namespaceRefused } from '../helpers/namespace.js';
import { runStorm } from '../storm/runner.js';

test('signals at random to all that a watchdog has: one worker a slot, no orphan, no zombie, and it goes on', async (t) => {
  const refused = namespaceRefused();
  if (refused) return t.skip(refused);
  const storm = fileURLToPath(new URL('storm/storm.js', import.meta.url));
  let output = '';
  const ok = await runStorm({
    node: process.execPath,
    command: [storm, '--signals', '100', '--seed', `${Date.now() % 2 ** 31}`],
    print: (text) => {
      output += text;
    },
  });
  assert.ok(ok, output);
  assert.match(output, /^signals 100, wedged 0, doubled 0, orphans 0, zombies 0,/m);
});
