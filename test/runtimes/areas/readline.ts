// readline over a file and over a pipe of our own, half read at the fork.
import assert from 'node:assert/strict';
import { createReadStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createInterface as promised } from 'node:readline/promises';
import { PassThrough } from 'node:stream';
import { inBoth, scratchFolder } from '../support.js';

const file = join(scratchFolder(), 'lines');
writeFileSync(file, Array.from({ length: 3000 }, (_, i) => `line ${i}`).join('\n'));

async function exercise(): Promise<void> {
  let count = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    assert.equal(line, `line ${count++}`);
  }
  assert.equal(count, 3000);

  const [input, output] = [new PassThrough(), new PassThrough()];
  const dialogue = promised({ input, output });
  const answer = dialogue.question('name? ');
  input.write('somebody\n');
  assert.equal(await answer, 'somebody');
  assert.equal(String(output.read()), 'name? ');
  dialogue.close();
}

await exercise();
const input = new PassThrough();
const lines = createInterface({ input })[Symbol.asyncIterator]();
input.write('first\nsecond\nhalf of the ');
assert.equal((await lines.next()).value, 'first');
await inBoth(async () => {
  assert.equal((await lines.next()).value, 'second');
  input.end('third\n');
  assert.equal((await lines.next()).value, 'half of the third');
  assert.equal((await lines.next()).done, true);
  await exercise();
});
