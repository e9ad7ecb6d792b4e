// Random numbers of which Node and V8 keep some in store: a forked child would hand out its parent's.
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { isMainThread } from 'node:worker_threads';
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
// Whether OpenSSL may still have what this process was forked with.
let inherited = false;

/**
 * Gets hold of a store's bytes at the moment when node:crypto fills it again: it asks for their length, and meets a
 * getter in the way. Then a child only has to fill them; to use them up takes a thousand calls, half a millisecond.
 */
function storeOf(draw: () => unknown, size: number, bytesLength: number, owner: object): Store {
  let bytes: Uint8Array | undefined;
  const original = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'byteLength');
  // Not where the prototypes are frozen (node --frozen-intrinsics): there the child uses the store up.
  const placed = Reflect.defineProperty(owner, 'byteLength', {
    configurable: true,
    get(this: Uint8Array) {
      const length = original?.get?.call(this);
      if (length === bytesLength) bytes = this;
      return length;
    },
  });
  if (!placed) return { draw, size, bytes };
  try {
    for (let i = 0; i <= size && bytes === undefined; i++) draw();
  } finally {
    delete (owner as { byteLength?: number }).byteLength;
  }
  return { draw, size, bytes };
}

function findStores(): Store[] {
  return [
    storeOf(() => randomUUID(), UUIDS_IN_STORE, UUIDS_IN_STORE * UUID_BYTES, Uint8Array.prototype),
    storeOf(() => randomInt(2), INTS_IN_STORE, INTS_IN_STORE * INT_BYTES, Buffer.prototype),
  ];
}

// A Worker has stores of its own, and its thread may go on in a child at any moment: they are filled before.
if (!isMainThread) {
  for (const { bytes } of findStores()) {
    if (bytes !== undefined) native.renewInChildren(bytes);
    else process.emitWarning('randomUUID() and randomInt() of this Worker will repeat in forked children');
  }
}

/** Before a fork, in the parent: so that each child finds what it needs. */
export function prepareEntropy(): void {
  reseedOpenSSL();
  if (stores !== undefined) return;
  stores = findStores();
  native.mathRandomState(drawRandoms(), false);
}

/**
 * Before a forked process forks. OpenSSL notes the pid with which it has drawn, and reseeds when it meets another one: a
 * process that has never drawn may have a child with the pid of its own dead parent, and that one would go on with the
 * dead one's numbers. One draw reseeds what all generators of all threads are seeded from, and they follow by its
 * count. Here and not after each fork, because it takes a tenth of the whole fork's time.
 */
export function reseedOpenSSL(): void {
  if (inherited) randomBytes(1);
  inherited = false;
}

/** In each forked process: its OpenSSL is as the parent left it. */
export function inheritOpenSSL(): void {
  inherited = true;
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
