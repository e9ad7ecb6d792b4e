// What keeps every kind of thread busy while the storm forks: Workers that start and end, the thread pool, the garbage
// collector, the compiler.
import { pbkdf2 } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { gzip } from 'node:zlib';

let stopped = false;

export function startLoad(): void {
  startWorker(0);
  compress();
  derive();
  setInterval(churn, 1).unref();
}

/** In a forked child: what is under way comes to its end, nothing more is started. */
export function stopLoad(): void {
  stopped = true;
}

// Every other one ends by itself, in the midst of its garbage; the rest are terminated while they compute. (What they
// compute calls a function: a loop without calls can't be terminated on Node 24, in a process that never forks either.)
const WORKERS = [
  'const kept = []; for (let i = 0; i < 20000; i++) kept.push({ i, text: String(i) });',
  'require("worker_threads").parentPort.postMessage(""); ' +
    'for (let i = 0; ; i++) globalThis.kept = Array.from({ length: 100 }, (_, k) => ({ k, i }));',
];

function startWorker(n: number): void {
  if (stopped) return;
  const worker = new Worker(WORKERS[n % WORKERS.length] as string, { eval: true });
  worker.once('message', () => void worker.terminate());
  worker.once('exit', () => startWorker(n + 1));
}

const bytes = Buffer.alloc(100_000, 'what the storm compresses. ');

function compress(): void {
  if (!stopped) gzip(bytes, compress);
}

function derive(): void {
  if (!stopped) pbkdf2('secret', 'salt', 1000, 32, 'sha256', derive);
}

let young: object[] = [];
const old: object[] = [];
let round = 0;

// Garbage that lives for a while, some of it long enough to be promoted; and a function that gets hot again and again,
// each time with another shape, so that it is compiled, thrown away and compiled.
function churn(): void {
  if (stopped) return;
  round++;
  young = Array.from({ length: 2000 }, (_, i) => ({ i, text: `${i} of ${round}`, list: [i] }));
  old[round % 200] = young.slice(0, 50);
  const shape = { [`field${round % 50}`]: round, value: 3 };
  let sum = 0;
  for (let i = 0; i < 3000; i++) sum = hot(shape, sum);
}

function hot(shape: { value: number }, sum: number): number {
  return (sum * 31 + shape.value) | 0;
}
