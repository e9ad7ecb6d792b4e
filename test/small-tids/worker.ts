// The Worker of a holder: has data of its own, and while it is told to it runs over imitations of locks that it seems to hold
// itself, with their address in a register, in compiled JavaScript and in native code. In the child it compares its data.
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { workerData } from 'node:worker_threads';
import { Holdings } from './holdings.js';
import { IMITATIONS, ORDINARY } from './patterns.js';

/** What holder and Worker share: Int32Array elements. */
export const CONTROL = {
  /** 0: no tid yet. */
  tid: 0,
  /** Set by the holder when `tids` are in place. */
  ready: 1,
  /** 1: work; 0: wait. */
  run: 2,
  /** 1: compare now. */
  compare: 3,
  /** How often it has compared. */
  compared: 4,
  /** How many bytes have changed. */
  changed: 5,
  tidCount: 6,
  tids: 7,
} as const;
export const CONTROL_BYTES = 4096;

export interface WorkerInput {
  control: Int32Array;
  imitations: boolean;
}

if (workerData !== null) work(workerData as WorkerInput);

function work({ control, imitations }: WorkerInput): never {
  const ownTid = Number(basename(readlinkSync('/proc/thread-self')));
  Atomics.store(control, CONTROL.tid, ownTid);
  Atomics.notify(control, CONTROL.tid);
  Atomics.wait(control, CONTROL.ready, 0);
  const count = Atomics.load(control, CONTROL.tidCount);
  // The thread's own first: then blocks begin with a lock of its.
  const tids = Array.from(control.subarray(CONTROL.tids, CONTROL.tids + count));
  const own = Atomics.load(control, CONTROL.tid);
  const holdings = new Holdings([own, ...tids.filter((tid) => tid !== own)], 1, imitations ? IMITATIONS : ORDINARY);
  const views = holdings.blocks
    .map(({ bytes }) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4))
    .filter((words) => !imitations || words[2] === own);
  for (let n = 0; ; n++) {
    if (Atomics.load(control, CONTROL.run) === 0) Atomics.wait(control, CONTROL.run, 0);
    const view = views[n % views.length] as Int32Array;
    spin(view, control);
    searchNatively(view, control);
    if (Atomics.load(control, CONTROL.compare) === 1) compare(holdings, control);
  }
}

function goesOn(control: Int32Array): boolean {
  return Atomics.load(control, CONTROL.run) === 1 && Atomics.load(control, CONTROL.compare) === 0;
}

/** Some milliseconds over the same words, whose address stays in a register. */
function spin(words: Int32Array, control: Int32Array): number {
  const rounds = 20_000_000 / words.length;
  let sum = 0;
  for (let round = 0; round < rounds && goesOn(control); round++) {
    for (let i = 0; i < words.length; i++) sum = (sum + (words[i] as number)) | 0;
  }
  return sum;
}

function searchNatively(words: Int32Array, control: Int32Array): void {
  const rounds = 4_000_000 / words.length;
  for (let round = 0; round < rounds && goesOn(control); round++) words.indexOf(-1);
}

function compare(holdings: Holdings, control: Int32Array): void {
  Atomics.store(control, CONTROL.compare, 0);
  for (const { what, bytes, example } of holdings.changes()) {
    Atomics.add(control, CONTROL.changed, bytes);
    console.error(`in the Worker: ${what}: ${example}`);
  }
  Atomics.add(control, CONTROL.compared, 1);
  Atomics.notify(control, CONTROL.compared);
}
