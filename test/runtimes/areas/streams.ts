// Streams: back-pressure, transforms, iteration, errors, web streams; one half read at the fork.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { inBoth, sampleBytes, scratchFolder } from '../support.js';

const folder = scratchFolder();
const source = join(folder, 'source');
const bytes = sampleBytes(3 << 20);
writeFileSync(source, bytes);
const digest = createHash('sha256').update(bytes).digest('hex');

async function exercise(): Promise<void> {
  const target = join(folder, `target-${process.pid}`);
  const hash = createHash('sha256');
  const tee = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      setImmediate(done, null, chunk);
    },
  });
  await pipeline(createReadStream(source), tee, createWriteStream(target));
  assert.equal(hash.digest('hex'), digest);

  let slow = 0;
  const sink = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      slow++;
      setImmediate(done);
    },
  });
  await pipeline(Readable.from(Array.from({ length: 500 }, (_, i) => `${i}\n`)), new PassThrough(), sink);
  assert.equal(slow, 500);

  const failing = new Transform({ transform: (_chunk, _encoding, done) => done(new Error('on purpose')) });
  await assert.rejects(pipeline(createReadStream(source), failing, new PassThrough().resume()), /on purpose/);

  const web = new ReadableStream<string>({
    async start(controller) {
      for (let i = 0; i < 100; i++) {
        await new Promise(setImmediate);
        controller.enqueue(`${i},`);
      }
      controller.close();
    },
  }).pipeThrough(new TextEncoderStream());
  assert.equal((await text(Readable.fromWeb(web))).split(',').length, 101);
}

await exercise();

// Reads by position, so the two sides don't move each other's offset.
const half = createReadStream(source, { start: 0, highWaterMark: 64 << 10 });
const seen = createHash('sha256');
const chunks = half[Symbol.asyncIterator]();
for (let i = 0; i < 10; i++) seen.update((await chunks.next()).value);
await inBoth(async () => {
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) seen.update(next.value);
  assert.equal(seen.digest('hex'), digest);
  await exercise();
});
