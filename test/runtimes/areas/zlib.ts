// Compression: at once, through the pool, as a stream; a stream with state from before the fork.
import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import { inBoth, sampleBytes } from '../support.js';

const bytes = sampleBytes(400_000);

async function exercise(): Promise<void> {
  assert.ok(zlib.gunzipSync(zlib.gzipSync(bytes)).equals(bytes));
  const pairs = [
    [promisify(zlib.gzip), promisify(zlib.gunzip)],
    [promisify(zlib.deflateRaw), promisify(zlib.inflateRaw)],
    [(b: Buffer) => promisify(zlib.brotliCompress)(b, FAST_BROTLI), promisify(zlib.brotliDecompress)],
  ] as const;
  await Promise.all(
    pairs.flatMap(([pack, unpack]) =>
      Array.from({ length: 6 }, async (_, i) => {
        const input = bytes.subarray(i * 1000);
        assert.ok((await unpack(await pack(input))).equals(input));
      }),
    ),
  );
  await assert.rejects(promisify(zlib.gunzip)(Buffer.from('not gzip at all')), { code: 'Z_DATA_ERROR' });
}
const FAST_BROTLI = { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } };

await exercise();

const started = zlib.createGzip();
const packed = buffer(started);
await new Promise((resolve) => started.write(bytes, resolve));
await inBoth(async () => {
  started.end(bytes);
  assert.ok(zlib.gunzipSync(await packed).equals(Buffer.concat([bytes, bytes])));
  await exercise();
});
