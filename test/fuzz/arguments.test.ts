import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startProgram } from '../helpers/fixture.js';
import { namespaceRefused } from '../helpers/namespace.js';

test('2,000 bad calls of all exports: a coded error each time, no crash, no leak', { timeout: 120_000 }, async (t) => {
  const refused = namespaceRefused();
  if (refused) return t.skip(refused);
  const script = fileURLToPath(new URL('arguments.js', import.meta.url));
  const { code, signal, stdout, stderr } = await startProgram(t, process.execPath, [script, '2000']).outcome;
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  // It says so itself: an export that ended the process with 0 would look the same from outside.
  assert.match(stdout, /^2\d{3} calls of \d+ exports/);
});
