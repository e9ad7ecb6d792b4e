// The standard output and error, pipes: what parent and child write arrives whole, also what is large or comes last.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inBoth } from '../support.js';

if (process.argv[2] === 'write') {
  console.log('early');
  await inBoth(async () => {
    for (let i = 0; i < 500; i++) console.log(`line ${i}`);
    process.stdout.write(`${'x'.repeat(300_000)}\n`);
    await new Promise<void>((resolve) => process.stderr.write('said\n', () => resolve()));
    // process.exit() does not wait for what a full pipe has not taken yet.
    await new Promise<void>((resolve) => process.stdout.write('last\n', () => resolve()));
  });
} else {
  const writer = spawn(process.execPath, [fileURLToPath(import.meta.url), 'write']);
  const [out, err, [code]] = await Promise.all([text(writer.stdout), text(writer.stderr), once(writer, 'exit')]);
  assert.equal(code, 0, err);
  assert.equal(err, 'said\nsaid\n');
  const letters = out.match(/x/g)?.length;
  assert.equal(letters, 600_000);
  assert.equal(out.match(/last/g)?.length, 2);
  assert.equal(out.match(/early/g)?.length, 1);
}
