// A process with 64 MiB of data that could be taken for its own held locks. For each line on standard input it forks once:
// `busy`, while a Worker and the thread pool run over such data; `idle`, while they sleep. Parent and child compare all of
// it. Answers a Sample a line.
//
//   node holder.js [--made-for PID] [--imitations]
//
// The data is that of a process with the pid PID, and of its threads.
import { readdirSync, readSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gunzipSync, gzip, gzipSync } from 'node:zlib';
import { _exit, fork, openProcess } from 'posix-daemon';
import { describe } from '../helpers/processes.js';
import { type Change, Holdings, openNamelessFile } from './holdings.js';
import { Objects } from './objects.js';
import { ORDINARY, PATTERNS } from './patterns.js';
import { CONTROL, CONTROL_BYTES, type WorkerInput } from './worker.js';

/** What one fork came to. */
export interface Sample {
  /** Milliseconds from the call until the child's first statement. */
  child?: number;
  inChild: Change[];
  inParent: Change[];
  /** fork() threw EAGAIN; or what went wrong. */
  refused?: string;
  failed?: string;
}

interface ChildReport {
  stamp: string;
  changes: Change[];
}

const { values } = parseArgs({
  options: {
    'made-for': { type: 'string', default: String(process.pid) },
    imitations: { type: 'boolean', default: false },
  },
});
const patterns = values.imitations ? Object.keys(PATTERNS) : ORDINARY;
const text = values.imitations ? 'mutexes of one owner' : 'tids';
const COMPARE_MS = 20_000;
const HUNG_MS = 30_000;
const compress = promisify(gzip);

const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
const input: WorkerInput = { control, imitations: values.imitations };
const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: input });
worker.on('error', (error) => {
  throw error;
});
// All the threads that there will be: the Worker's, and the pool's four.
Atomics.wait(control, CONTROL.tid, 0);
await Promise.all(Array.from({ length: 8 }, () => compress('text')));

const shift = Number(values['made-for']) - process.pid;
const tids = readdirSync('/proc/self/task').map((tid) => Number(tid) + shift);
control[CONTROL.tid] = (control[CONTROL.tid] as number) + shift;
control[CONTROL.tidCount] = tids.length;
control.set(tids, CONTROL.tids);
Atomics.store(control, CONTROL.ready, 1);
Atomics.notify(control, CONTROL.ready);

const holdings = new Holdings(tids, values.imitations ? 1 : 3, patterns);
const objects = new Objects();
const texts = holdings.blocks
  .filter(({ pattern, bytes }) => pattern === text && bytes.length === 65_536)
  .map(({ bytes }) => ({ bytes, compressed: gzipSync(bytes) }));
const reportFile = openNamelessFile();

let compressing = false;
const badlyCompressed: Change[] = [];

console.log(`${Math.round(holdings.length / 2 ** 20)} MiB, ${tids.length} threads`);
for await (const order of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await sample(order === 'busy')));
}
process.exit(0);

async function sample(busy: boolean): Promise<Sample> {
  compressing = busy;
  const pool = busy ? [compressLoop(0), compressLoop(7)] : [];
  setWorker(busy ? 1 : 0);
  await sleep(5 + Math.random() * 10);
  const result: Sample = { inChild: [], inParent: [] };
  try {
    await forkOnce(pool, result);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    result[code === 'EAGAIN' ? 'refused' : 'failed'] = message;
  }
  compressing = false;
  await Promise.all(pool);
  result.inParent = allChanges();
  setWorker(0);
  return result;
}

async function forkOnce(pool: Promise<void>[], result: Sample): Promise<void> {
  const start = process.hrtime.bigint();
  const pid = fork();
  const stamp = process.hrtime.bigint();
  if (pid === 0) return endChild(stamp, pool);
  using child = openProcess(pid);
  const deadline = setTimeout(() => {
    result.failed = `the child hung\n${describe(pid)}`;
    child.signal('SIGKILL');
  }, HUNG_MS);
  const end = await child.wait();
  clearTimeout(deadline);
  if (result.failed) return;
  if (end?.exitCode !== 0) {
    result.failed = `the child ended with ${end?.signal ?? `status ${end?.exitCode}`}`;
    return;
  }
  const buffer = Buffer.alloc(65_536);
  const text = buffer.toString('utf8', 0, readSync(reportFile, buffer, 0, buffer.length, 0));
  const report = JSON.parse(text.slice(0, text.indexOf('\n'))) as ChildReport;
  result.child = Number(BigInt(report.stamp) - start) / 1e6;
  result.inChild = report.changes;
}

async function endChild(stamp: bigint, pool: Promise<void>[]): Promise<never> {
  try {
    compressing = false;
    await Promise.all(pool);
    const report: ChildReport = { stamp: String(stamp), changes: allChanges().slice(0, 100) };
    writeSync(reportFile, `${JSON.stringify(report)}\n`, 0);
    return _exit(0);
  } catch (error) {
    console.error('in the child:', error);
    return _exit(1);
  }
}

// What the pool's threads compress are imitations too, and so is the text that deflate keeps.
async function compressLoop(first: number): Promise<void> {
  for (let n = first; compressing; n++) {
    const { bytes, compressed } = texts[n % texts.length] as (typeof texts)[number];
    const result = await compress(bytes);
    if (result.equals(compressed)) continue;
    const changed = gunzipSync(result).equals(bytes) ? 'other bytes' : 'another text';
    badlyCompressed.push({ what: 'compressed by the thread pool', bytes: 1, example: changed });
  }
}

function setWorker(run: 0 | 1): void {
  Atomics.store(control, CONTROL.run, run);
  Atomics.notify(control, CONTROL.run);
}

function allChanges(): Change[] {
  const compared = Atomics.load(control, CONTROL.compared);
  Atomics.store(control, CONTROL.compare, 1);
  setWorker(1);
  const changes = [...holdings.changes(), ...objects.changes(), ...badlyCompressed.splice(0)];
  const deadline = performance.now() + COMPARE_MS;
  while (Atomics.load(control, CONTROL.compared) === compared) {
    const left = deadline - performance.now();
    if (left < 0) throw new Error('the Worker stands still');
    Atomics.wait(control, CONTROL.compared, compared, left);
  }
  const inWorker = Atomics.exchange(control, CONTROL.changed, 0);
  if (inWorker > 0) changes.push({ what: "the Worker's", bytes: inWorker, example: 'see standard error' });
  return changes;
}
