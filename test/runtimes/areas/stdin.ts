// The standard input, a pipe: the driver of the suite writes 4,096 lines. Read half before a fork, half after.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readSync } from 'node:fs';
import { STDIN } from '../runner.js';
import { inChild } from '../support.js';

const some = Buffer.alloc(1000);
const bytes = readSync(0, some);
assert.equal(some.toString('latin1', 0, bytes), STDIN.slice(0, bytes));

const first = await new Promise<Buffer>((resolve) => process.stdin.once('data', resolve));
process.stdin.pause();
assert.equal(first.toString(), STDIN.slice(bytes, bytes + first.length));

await inChild(async () => {
  assert.equal(await rest(), STDIN.slice(bytes + first.length));
});
// The pipe is one: what the child read is gone.
assert.equal(await rest(), '');

async function rest(): Promise<string> {
  let all = '';
  process.stdin.setEncoding('utf8').on('data', (chunk: string) => {
    all += chunk;
  });
  process.stdin.resume();
  await once(process.stdin, 'end');
  return all;
}
