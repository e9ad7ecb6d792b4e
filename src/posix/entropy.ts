// Random numbers of which Node and V8 keep some in store: a forked child would hand out its parent's.
import { randomInt, randomUUID } from 'node:crypto';
import { native } from '../native.js';

// node:crypto draws the bytes of this many UUIDs and integers at a time.
const UUIDS_IN_STORE = 128;
const UUID_BYTES = 16;
const INTS_IN_STORE = 1024;
const INT_BYTES = 6;
// V8 computes this many of Math.random() at a time.
const RANDOMS_IN_STORE = 64;

interface Store {
  draw: () => unknown;
  /** How many draws use it up. */
  size: number;
  /** Its bytes, if they could be got hold of. */
  bytes: Uint8Array | undefined;
}

let stores: Store[] | undefined;

/**
 * Gets hold of a store's bytes at the moment when node:crypto fills it again: it asks for their length, and meets a
 * getter in the way. Then a child only has to fill them; to use them up takes a thousand calls, half a millisecond.
 */
function storeOf(draw: () => unknown, size: number, bytesLength: number, owner: object): Store {
  let bytes: Uint8Array | undefined;
  const inherited = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'byteLength');
  Object.defineProperty(owner, 'byteLength', {
    configurable: true,
    get(this: Uint8Array) {
      const length = inherited?.get?.call(this);
      if (length === bytesLength) bytes = this;
      return length;
    },
  });
  try {
    for (let i = 0; i <= size && bytes === undefined; i++) draw();
  } finally {
    delete (owner as { byteLength?: number }).byteLength;
  }
  return { draw, size, bytes };
}

/** Before the first fork, in the parent: so that each child finds what it needs. */
export function prepareEntropy(): void {
  if (stores !== undefined) return;
  stores = [
    storeOf(() => randomUUID(), UUIDS_IN_STORE, UUIDS_IN_STORE * UUID_BYTES, Uint8Array.prototype),
    storeOf(() => randomInt(2), INTS_IN_STORE, INTS_IN_STORE * INT_BYTES, Buffer.prototype),
  ];
  native.mathRandomState(drawRandoms(), false);
}

/**
 * In the child: from now on its numbers are its own. The bytes come from the kernel and not from OpenSSL, which would
 * reseed itself first: a tenth of the time that the whole fork takes.
 */
export function renewEntropy(): void {
  for (const { draw, size, bytes } of stores ?? []) {
    if (bytes !== undefined) native.getrandom(bytes);
    else for (let i = 0; i < size; i++) draw();
  }
  const left = native.mathRandomState(drawRandoms(), true);
  if (left === -1) replaceMathRandom();
  else for (let i = 0; i < left; i++) Math.random();
}

function drawRandoms(): Float64Array {
  const randoms = new Float64Array(RANDOMS_IN_STORE);
  for (let i = 0; i < RANDOMS_IN_STORE; i++) randoms[i] = Math.random();
  return randoms;
}

/**
 * Where V8's own can't be reseeded: xoshiro128+ with a seed of its own. Who has kept the old function draws its parent's
 * numbers.
 */
function replaceMathRandom(): void {
  const seed = new Uint8Array(16);
  native.getrandom(seed);
  let [a, b, c, d] = new Int32Array(seed.buffer) as unknown as [number, number, number, number];
  const next = () => {
    const result = (a + d) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    return result;
  };
  Math.random = function random() {
    return ((next() >>> 5) * 0x4000000 + (next() >>> 6)) / 0x20000000000000;
  };
}
