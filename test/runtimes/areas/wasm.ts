// WebAssembly: compiled before the fork and after it, hot loops, memory that grows, traps (caught by a SIGSEGV handler).
import assert from 'node:assert/strict';
import { inBoth } from '../support.js';

// What this needs of the WebAssembly API, which @types/node leaves to the DOM's types.
declare const WebAssembly: {
  RuntimeError: ErrorConstructor;
  instantiate(code: Uint8Array): Promise<{ instance: { exports: Exports } }>;
};

const code = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // types: (i32, i32) -> i32, (i32) -> i32
  ...[0x01, 0x0c, 0x02, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7f, 0x60, 0x01, 0x7f, 0x01, 0x7f],
  // functions divide, load, sum; one memory of one page
  ...[0x03, 0x04, 0x03, 0x00, 0x01, 0x01, 0x05, 0x03, 0x01, 0x00, 0x01],
  // exports "div" "load" "sum" "memory"
  ...[0x07, 0x1d, 0x04, 0x03, 0x64, 0x69, 0x76, 0x00, 0x00, 0x04, 0x6c, 0x6f, 0x61, 0x64, 0x00, 0x01],
  ...[0x03, 0x73, 0x75, 0x6d, 0x00, 0x02, 0x06, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 0x02, 0x00],
  // div: a / b; load: the word at address a
  ...[0x0a, 0x2b, 0x03, 0x07, 0x00, 0x20, 0x00, 0x20, 0x01, 0x6d, 0x0b, 0x07, 0x00, 0x20, 0x00, 0x28, 0x02, 0x00, 0x0b],
  // sum: loop { total += n } while (--n); total
  ...[0x19, 0x01, 0x01, 0x7f, 0x03, 0x40, 0x20, 0x01, 0x20, 0x00, 0x6a, 0x21, 0x01, 0x20, 0x00, 0x41, 0x01, 0x6b],
  ...[0x22, 0x00, 0x0d, 0x00, 0x0b, 0x20, 0x01, 0x0b],
]);

interface Exports {
  div(a: number, b: number): number;
  load(address: number): number;
  sum(n: number): number;
  memory: { buffer: ArrayBuffer; grow(pages: number): number };
}

async function instance(): Promise<Exports> {
  const { instance } = await WebAssembly.instantiate(code);
  return instance.exports;
}

function exercise({ div, load, sum, memory }: Exports): void {
  assert.equal(div(84, 2), 42);
  let total = 0;
  for (let i = 0; i < 2000; i++) total = (total + sum(1000)) | 0;
  assert.equal(total, 2000 * 500500);
  assert.equal(sum(20_000_000), ((20_000_000 * 20_000_001) / 2) | 0);
  assert.throws(() => div(1, 0), WebAssembly.RuntimeError);
  for (let i = 0; i < 10; i++) assert.throws(() => load(0x7ffffff0), WebAssembly.RuntimeError);
  const pages = memory.grow(4);
  new Int32Array(memory.buffer)[pages * 16384] = 77;
  assert.equal(load(pages * 65536), 77);
}

const before = await instance();
exercise(before);
await inBoth(async () => {
  exercise(before);
  exercise(await instance());
  await Promise.all(Array.from({ length: 20 }, async () => exercise(await instance())));
});
