// The storm itself, in a pid namespace of its own, with no other processes than the first one, this one, and the watchdog's:
// run it by run.ts.
//
//   node storm.js --signals N --seed N [--command]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { allProcesses, descendants, describe } from '../../helpers/processes.js';

const { values } = parseArgs({
  options: {
    signals: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    command: { type: 'boolean' },
  },
});
const signals = Number(values.signals);
const WORKERS = 4;
// Longer than a heartbeat, the time to be ready, and a few replacements.
const SETTLES_WITHIN_MS = 20_000;
const ROUND = 50;
const SIGNALS = ['SIGKILL', 'SIGSTOP', 'SIGCONT', 'SIGTERM'] as const;

let seed = Number(values.seed) || 1;
/** 0 ≤ n < limit, of a fixed sequence (xorshift32). */
function random(limit: number): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return (seed >>> 0) % limit;
}

const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-storm-'));
const watchdog = spawn(
  process.execPath,
  [fileURLToPath(new URL(values.command ? 'watched-command.js' : 'watched.js', import.meta.url)), folder, `${WORKERS}`],
  {
    stdio: ['ignore', 'pipe', 'inherit'],
  },
);
const watchdogPid = watchdog.pid as number;
const ended = once(watchdog, 'exit');
const counts = { signals: 0, wedged: 0, doubled: 0, orphans: 0, zombies: 0, restarts: -WORKERS };
createInterface({ input: watchdog.stdout }).on('line', (line) => {
  if (line === 'started') counts.restarts++;
  else {
    console.log(line);
    counts.doubled++;
  }
});

/** What isn't as it should be; undefined: nothing. */
function disorder(): { kind: 'wedged' | 'orphans' | 'zombies'; what: string } | undefined {
  const all = allProcesses();
  const byPid = new Map(all.map((one) => [one.pid, one]));
  // A parent that is stopped can't wait for anyone.
  const zombie = all.find(({ state, parent }) => state === 'Z' && byPid.get(parent)?.state !== 'T');
  if (zombie) return { kind: 'zombies', what: `${zombie.pid}, of ${zombie.parent}` };
  const below = new Set(descendants(watchdogPid));
  const orphan = all.find(({ pid }) => pid !== 1 && pid !== process.pid && pid !== watchdogPid && !below.has(pid));
  if (orphan) return { kind: 'orphans', what: `${orphan.pid}, of ${orphan.parent}` };
  const titles = [...below].map((pid) => ({ pid, title: titleOf(pid) }));
  for (let index = 1; index <= WORKERS; index++) {
    const workers = titles.filter(({ title }) => `${title} `.startsWith(`storm: worker ${index} `));
    const [worker] = workers;
    if (!worker || workers.length > 1) return { kind: 'wedged', what: `${workers.length} workers ${index}` };
    if (byPid.get(worker.pid)?.state === 'T') return { kind: 'wedged', what: `worker ${index} is stopped` };
  }
  const spares = titles.filter(({ title }) => title === 'storm: standby');
  if (spares.length > 1) return { kind: 'orphans', what: `${spares.length} spare workers` };
  return undefined;
}

function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** Waits until all is well: nothing is continued for that but the watchdog. */
async function settle(): Promise<void> {
  send(watchdogPid, 'SIGCONT');
  const end = performance.now() + SETTLES_WITHIN_MS;
  for (let found = disorder(); found; found = disorder()) {
    if (performance.now() > end) {
      counts[found.kind]++;
      console.log(`after ${counts.signals} signals: ${found.kind}: ${found.what}`);
      for (const { pid, parent, state } of allProcesses()) console.log(`${pid} ${parent} ${state} ${titleOf(pid)}`);
      if (found.kind === 'wedged') console.log(describe(watchdogPid));
      return finish();
    }
    await sleep(5);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has just ended.
  }
}

function parentOf(pid: number): number | undefined {
  return allProcesses().find((one) => one.pid === pid)?.parent;
}

/** A process: every second time a keeper or a worker, or what is about to become one. */
function chosen(): number {
  const all = allProcesses();
  const children = all.filter(({ parent }) => parent === watchdogPid).map(({ pid }) => pid);
  const workers = all.filter(({ parent }) => children.includes(parent)).map(({ pid }) => pid);
  const members = random(2) ? [...children, ...workers] : [watchdogPid, ...descendants(watchdogPid)];
  return members[random(members.length)] ?? watchdogPid;
}

/** One signal to one process; the watchdog is only stopped, and goes on. */
async function strike(): Promise<void> {
  const victim = chosen();
  const signal = SIGNALS[random(SIGNALS.length)] as (typeof SIGNALS)[number];
  // That asks a supervisor to end, and so the whole.
  if (values.command && signal === 'SIGTERM' && parentOf(victim) === watchdogPid) return;
  counts.signals++;
  if (victim !== watchdogPid) return send(victim, signal);
  send(victim, 'SIGSTOP');
  await sleep(random(20));
  send(victim, 'SIGCONT');
}

function summary(): string {
  return Object.entries(counts)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

function finish(): never {
  watchdog.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
  console.log(summary());
  process.exit(counts.wedged + counts.doubled + counts.orphans + counts.zombies === 0 ? 0 : 1);
}

void ended.then(([code, signal]) => {
  console.log(`the watchdog has ended with ${signal ?? `exit code ${code}`}`);
  counts.wedged++;
  finish();
});

await settle();
while (counts.signals < signals) {
  await strike();
  if (random(2)) await sleep(random(8));
  if (counts.signals % ROUND === 0) await settle();
  if (counts.signals % 1000 === 0) console.log(summary());
}
await settle();
ended.catch(() => {});
finish();
