// The file system through promises, callbacks, streams and synchronously.
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as promises from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { inBoth, sampleBytes, scratchFolder } from '../support.js';

const folder = scratchFolder();
const bytes = sampleBytes(300_000);

async function exercise(): Promise<void> {
  const own = join(folder, `of-${process.pid}`);
  await promises.mkdir(own);

  const file = (i: number) => join(own, `file-${i}`);
  await Promise.all(Array.from({ length: 40 }, (_, i) => promises.writeFile(file(i), bytes.subarray(i))));
  const read = await Promise.all(Array.from({ length: 40 }, (_, i) => promises.readFile(file(i))));
  for (const [i, content] of read.entries()) assert.ok(content.equals(bytes.subarray(i)));

  const stat = promisify(fs.stat);
  assert.equal((await stat(file(3))).size, bytes.length - 3);
  await assert.rejects(stat(join(own, 'missing')), { code: 'ENOENT', syscall: 'stat' });

  await pipeline(fs.createReadStream(file(0), { highWaterMark: 7000 }), fs.createWriteStream(file(99)));
  assert.ok(fs.readFileSync(file(99)).equals(bytes));

  const handle = await promises.open(file(100), 'w+');
  await handle.write('0123456789');
  await handle.truncate(5);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(10), 0, 10, 1);
  assert.equal(buffer.toString('latin1', 0, bytesRead), '1234');
  await handle.close();

  await promises.symlink(file(0), join(own, 'link'));
  assert.equal(await promises.realpath(join(own, 'link')), await promises.realpath(file(0)));
  await promises.rename(file(1), join(own, 'renamed'));
  assert.equal((await promises.readdir(own)).length, 43);
  await promises.rm(own, { recursive: true });
  assert.equal(fs.existsSync(own), false);
}

await exercise();

// A descriptor opened before the fork shares its offset, as fork(2) says.
const shared = fs.openSync(join(folder, 'shared'), 'w+');
fs.writeSync(shared, 'from the first process;');
await inBoth(exercise);
await inBoth(() => fs.writeSync(shared, `${'x'.repeat(9)};`));
assert.equal(fs.readFileSync(join(folder, 'shared'), 'utf8'), 'from the first process;xxxxxxxxx;xxxxxxxxx;');
