// Forks again and again, from each kind of callback in turn, under load; run it by run.ts.
//
//   node storm.js --forks N [--alive N] [--hung-after SECONDS]
import { parseArgs } from 'node:util';
import { fork, openProcess } from 'posix-daemon';
import { describe } from '../helpers/processes.js';
import { statusOf, work } from './child.js';
import { startLoad, stopLoad } from './load.js';
import { startPrograms } from './programs.js';
import { SOURCES } from './sources.js';

const { values } = parseArgs({
  options: {
    forks: { type: 'string', default: '2000' },
    alive: { type: 'string', default: '8' },
    'hung-after': { type: 'string', default: '30' },
  },
});
const forks = Number(values.forks);
const mostAlive = Number(values.alive);
const hungAfterMs = Number(values['hung-after']) * 1000;
const PROGRESS = 100;
// Enough to know; each that hangs takes a while.
const MOST_BAD = 20;

const counts = { forks: 0, hung: 0, crashed: 0, wrong: 0 };
const sources = Object.entries(SOURCES);
const forksFrom = new Map(sources.map(([name]) => [name, 0]));
const alive = new Set<Promise<void>>();
const deadlines = new Set<NodeJS.Timeout>();

startLoad();
for (let index = 0; index < forks && bad() < MOST_BAD; index++) {
  const [name, source] = sources[index % sources.length] as (typeof sources)[number];
  const pid = await forkFrom(source, index);
  counts.forks++;
  forksFrom.set(name, (forksFrom.get(name) ?? 0) + 1);
  const end = follow(pid, index, name).finally(() => alive.delete(end));
  alive.add(end);
  if (alive.size >= mostAlive) await Promise.race(alive);
  if (counts.forks % PROGRESS === 0) console.log(summary());
}
await Promise.all(alive);
await startProgramsInBoth();

console.log([...forksFrom].map(([name, count]) => `${name} ${count}`).join(', '));
console.log(summary());
process.exit(bad() === 0 ? 0 : 1);

// The promise is the parent's: in the child it stays pending, and so all that waits for it here stops.
function forkFrom(source: (fire: () => void) => void, index: number): Promise<number> {
  return new Promise((resolve, reject) => {
    source(() => {
      try {
        const pid = fork();
        if (pid > 0) return resolve(pid);
      } catch (error) {
        return reject(error);
      }
      stopLoad();
      for (const deadline of deadlines) clearTimeout(deadline);
      void work(index);
    });
  });
}

// After all that, parent and child can start programs as before: the forks have left the memory as it was, which a program
// that is about to start has to read.
async function startProgramsInBoth(): Promise<void> {
  stopLoad();
  const pid = fork();
  try {
    await startPrograms();
  } catch (error) {
    console.log(`starting programs in ${pid === 0 ? 'a child' : 'the parent'}:`, error);
    counts.wrong++;
  }
  if (pid === 0) process.exit(counts.wrong === 0 ? statusOf(forks) : statusOf(forks + 1));
  await follow(pid, forks, 'starting programs');
}

// The child goes on waiting for its siblings, with copies of all of this; wait() answers null for who is no child of the
// caller, and the deadlines are called off.
async function follow(pid: number, index: number, source: string): Promise<void> {
  using child = openProcess(pid);
  let hung = false;
  const deadline = setTimeout(() => {
    hung = true;
    console.log(`HUNG: child ${index} from ${source}\n${describe(pid)}`);
    child.signal('SIGKILL');
  }, hungAfterMs);
  deadlines.add(deadline);
  const end = await child.wait();
  clearTimeout(deadline);
  deadlines.delete(deadline);
  if (end === null) return;
  const { exitCode, signal } = end;
  if (hung) counts.hung++;
  else if (signal !== null) counts.crashed++;
  else if (exitCode !== statusOf(index)) counts.wrong++;
  else return;
  console.log(`child ${index} from ${source} ended with ${signal ?? `status ${exitCode}`}`);
}

function bad(): number {
  return counts.hung + counts.crashed + counts.wrong;
}

function summary(): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
