// Data that a fork must leave alone, with a copy of it in a file: a copy in memory would be changed as it is.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PATTERNS } from './patterns.js';

const MIB = 2 ** 20;
// From pieces of Buffer's pool over blocks among the C library's others to blocks with a mapping of their own.
const SIZES = [1024, 8192, 65_536, 262_144, MIB];

export interface Change {
  what: string;
  /** How many bytes differ. */
  bytes: number;
  /** The first that do. */
  example: string;
}

interface Block {
  pattern: string;
  bytes: Buffer;
}

// The kinds of memory in which a program can hold bytes.
const MAKERS: readonly ((length: number) => ArrayBufferView)[] = [
  (length) => Buffer.allocUnsafe(length),
  (length) => Buffer.alloc(length),
  (length) => new Int32Array(length / 4),
  (length) => new Uint8Array(new SharedArrayBuffer(length)),
  (length) => new Uint32Array(length / 4),
  (length) => new BigInt64Array(length / 8),
  (length) => new Float64Array(length / 8),
];

/** A file without a name, open for reading and writing. */
export function openNamelessFile(): number {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-small-tids-'));
  const fd = openSync(join(folder, 'file'), 'w+');
  rmSync(folder, { recursive: true });
  return fd;
}

export class Holdings {
  readonly blocks: readonly Block[];
  // What is in the place of a block's bytes: each MiB of the file is that of whole blocks.
  readonly #expected = openNamelessFile();

  /**
   * @param tids whose locks are imitated
   * @param mib how much of each pattern in blocks of each size
   */
  constructor(tids: readonly number[], mib: number, patterns: readonly string[]) {
    this.blocks = patterns.flatMap((pattern) => SIZES.flatMap((size) => makeBlocks(pattern, size, mib * MIB, tids)));
    for (const { bytes } of this.blocks) writeSync(this.#expected, bytes);
  }

  get length(): number {
    return this.blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Compares every byte. */
  changes(): Change[] {
    const chunk = Buffer.allocUnsafeSlow(MIB);
    const found: Change[] = [];
    let place = 0;
    for (const { pattern, bytes } of this.blocks) {
      if (place % MIB === 0) readSync(this.#expected, chunk, 0, MIB, place);
      const expected = chunk.subarray(place % MIB, (place % MIB) + bytes.length);
      if (!bytes.equals(expected)) found.push(difference(`${pattern}, block of ${bytes.length}`, bytes, expected));
      place += bytes.length;
    }
    return found;
  }

  close(): void {
    closeSync(this.#expected);
  }
}

function makeBlocks(pattern: string, size: number, total: number, tids: readonly number[]): Block[] {
  const fill = PATTERNS[pattern] as (typeof PATTERNS)[string];
  return Array.from({ length: total / size }, (_, n) => {
    const view = (MAKERS[n % MAKERS.length] as (typeof MAKERS)[number])(size);
    const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength).fill(0);
    fill(new Int32Array(bytes.buffer, bytes.byteOffset, size / 4), tids, n);
    return { pattern, bytes };
  });
}

function difference(what: string, bytes: Buffer, expected: Buffer): Change {
  let count = 0;
  let first = -1;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === expected[i]) continue;
    if (first < 0) first = i;
    count++;
  }
  const word = first & ~3;
  return {
    what,
    bytes: count,
    example: `byte ${word}: ${expected.readInt32LE(word)} became ${bytes.readInt32LE(word)}`,
  };
}
