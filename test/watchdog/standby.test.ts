// The worker that has been forked in advance: it sleeps until it is needed, and is then like any other.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findDaemon } from 'posix-daemon';
import { childrenOf, stat, temporaryDirectory } from '../helpers/exec.js';
import { fixturePath, procStatus, startProgram, until } from '../helpers/fixture.js';
import { resizing, stageOf, startWatchdog, titleOf, untilGone, type Watched } from '../helpers/watchdog.js';

function sparesOf(pid: number): number[] {
  try {
    return childrenOf(pid)
      .flatMap(childrenOf)
      .filter((one) => titleOf(one).endsWith(': standby'));
  } catch {
    return []; // one of them has just ended
  }
}

/** The spare worker, asleep; another one than `last`. */
async function spareOf(watched: Pick<Watched, 'pid' | 'hold'>, last?: { pid: number }) {
  const found = () => sparesOf(watched.pid).find((one) => one !== last?.pid);
  await until('a spare worker sleeps', () => found() !== undefined);
  const pid = found() as number;
  return { pid, handle: watched.hold(pid), keeper: Number(procStatus(pid, 'PPid')) };
}

test('the spare worker takes the place of the one that ends, and there is another one', async (t) => {
  const watched = startWatchdog(t, {
    workers: 2,
    title: 'app',
    inWorker: ({ say }) => {
      say({ environment: process.env.WORKER_INDEX });
      setInterval(() => {}, 1e6);
    },
  });
  const [, second] = await watched.workers(2);
  for (let n = 0; n < 2; n++) await watched.said('environment');
  let spare = await spareOf(watched);
  assert.equal(titleOf(spare.pid), 'app: standby');
  second?.handle.signal('SIGKILL');
  for (let n = 0; n < 2; n++) {
    const next = await watched.worker();
    assert.deepEqual([next.pid, next.index, next.keeper], [spare.pid, 2, spare.keeper]);
    assert.equal(await watched.said('environment'), '2');
    assert.equal(titleOf(next.pid), 'app: worker 2');
    spare = await spareOf(watched);
    next.handle.signal('SIGKILL');
  }
});

test('two workers that end together are both replaced', async (t) => {
  const watched = startWatchdog(t, { workers: 2 });
  const [first, second] = await watched.workers(2);
  const spare = await spareOf(watched);
  first?.handle.signal('SIGKILL');
  second?.handle.signal('SIGKILL');
  const next = await watched.workers(2);
  assert.deepEqual(
    next.map(({ index }) => index),
    [1, 2],
  );
  assert.ok(next.some(({ pid }) => pid === spare.pid));
});

test('one worker more is the spare one', async (t) => {
  const watched = startWatchdog(t, { inWorker: resizing });
  const first = await watched.worker();
  await watched.said('resizes');
  const spare = await spareOf(watched);
  first.handle.signal('SIGUSR1');
  const second = await watched.worker();
  assert.deepEqual([second.pid, second.index], [spare.pid, 2]);
});

test('a spare worker’s random numbers, pid and time are its own', async (t) => {
  const watched = startWatchdog(t, {
    before: ({ state, crypto }) => {
      state.draw = () => [Math.random(), crypto.randomUUID(), crypto.randomInt(2 ** 47)];
      (state.draw as () => unknown)();
    },
    inWorker: ({ say, state }) => {
      const start = performance.now();
      setTimeout(() => {
        const tookMs = performance.now() - start;
        say({ facts: { drawn: (state.draw as () => unknown)(), pid: process.pid, clock: Date.now(), tookMs } });
      }, 200);
      setInterval(() => {}, 1e6);
    },
  });
  const seen = new Set();
  for (let n = 0; n < 4; n++) {
    const { handle, pid } = await watched.worker();
    const facts = await watched.said<{ drawn: unknown[]; pid: number; clock: number; tookMs: number }>('facts');
    assert.equal(facts.pid, pid);
    assert.ok(Math.abs(Date.now() - facts.clock) < 5000);
    assert.ok(facts.tookMs >= 199, `${facts.tookMs} ms`);
    for (const drawn of facts.drawn) seen.add(drawn);
    assert.equal(seen.size, 3 * (n + 1));
    await spareOf(watched);
    handle.signal('SIGKILL');
  }
});

test('no code of the script runs in the spare worker, in none of its threads, until it is needed', async (t) => {
  const watched = startWatchdog(t, {
    before: async ({ worker_threads }) => {
      const script = `
        const { readlinkSync, writeSync } = require('node:fs');
        setInterval(() => writeSync(1, JSON.stringify({ tick: Number(readlinkSync('/proc/self')) }) + '\\n'), 5);`;
      await new Promise((resolve) => new worker_threads.Worker(script, { eval: true }).once('online', resolve));
    },
  });
  const worker = await watched.worker();
  const spare = await spareOf(watched);
  for (let ticks = 0; ticks < 20; ) {
    const tick = await watched.said('tick');
    assert.notEqual(tick, spare.pid);
    if (tick === worker.pid) ticks++;
  }
  worker.handle.signal('SIGKILL');
  while ((await watched.said('tick')) !== spare.pid);
});

test('a spare worker that is killed, or its keeper, is replaced', async (t) => {
  const watched = startWatchdog(t);
  const worker = await watched.worker();
  const first = await spareOf(watched);
  first.handle.signal('SIGKILL');
  const second = await spareOf(watched, first);
  watched.hold(second.keeper).signal('SIGKILL');
  const third = await spareOf(watched, second);
  await untilGone('the second', second.handle);
  assert.ok(worker.handle.alive);
  worker.handle.signal('SIGKILL');
  assert.equal((await watched.worker()).pid, third.pid);
});

test('a spare worker that is stopped, or whose keeper is, goes on when it is needed', async (t) => {
  const watched = startWatchdog(t);
  const worker = await watched.worker();
  const spare = await spareOf(watched);
  for (const handle of [spare.handle, watched.hold(spare.keeper)]) handle.signal('SIGSTOP');
  await until('both are stopped', () => [spare.pid, spare.keeper].every((one) => stat(one, 3) === 'T'));
  worker.handle.signal('SIGKILL');
  const next = await watched.worker();
  assert.equal(next.pid, spare.pid);
  next.handle.signal('SIGKILL');
  await watched.worker();
});

test('signals to a spare worker do nothing, and aren’t kept for the worker that it becomes', async (t) => {
  const watched = startWatchdog(t, {
    inWorker: ({ say }) => {
      for (const signal of ['SIGTERM', 'SIGUSR2', 'SIGCONT'] as const) process.on(signal, () => say({ got: signal }));
      setImmediate(() => say({ turns: true }));
      setInterval(() => {}, 1e6);
    },
  });
  const worker = await watched.worker();
  await watched.said('turns');
  const spare = await spareOf(watched);
  for (const signal of ['SIGTERM', 'SIGUSR2', 'SIGCONT'] as const) spare.handle.signal(signal);
  await until('it has taken them', () => /^ShdPnd:\s0+$/m.test(readFileSync(`/proc/${spare.pid}/status`, 'utf8')));
  worker.handle.signal('SIGKILL');
  assert.equal((await watched.worker()).pid, spare.pid);
  await watched.said('turns');
  spare.handle.signal('SIGUSR2');
  assert.equal(await watched.said('got'), 'SIGUSR2');
});

test('the spare worker is gone when the watchdog is', async (t) => {
  const watched = startWatchdog(t, { workers: 2 });
  await watched.workers(2);
  const spare = await spareOf(watched);
  const keeper = watched.hold(spare.keeper);
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).signal, 'SIGTERM');
  assert.ok(!spare.handle.alive && !keeper.alive);
});

test('SIGKILL of the watchdog takes the spare worker', async (t) => {
  const watched = startWatchdog(t);
  await watched.worker();
  const spare = await spareOf(watched);
  const keeper = watched.hold(spare.keeper);
  watched.signal('SIGKILL');
  await untilGone('the spare worker', spare.handle, keeper);
});

test('a watchdog whose workers have all done their work ends, spare worker or not', async (t) => {
  const watched = startWatchdog(t, {
    restart: 'on-failure',
    inWorker: ({ say }) => {
      process.on('SIGUSR2', () => process.exit(0));
      say({ listens: true });
      setInterval(() => {}, 1e6);
    },
  });
  const { handle } = await watched.worker();
  await watched.said('listens');
  const spare = await spareOf(watched);
  handle.signal('SIGUSR2');
  assert.equal((await watched.outcome).code, 0);
  assert.ok(!spare.handle.alive);
});

for (const options of [{ standby: false }, { restart: 'never' }, { maxRestarts: { count: 0 } }] as const) {
  test(`there is no spare worker with ${JSON.stringify(options)}`, async (t) => {
    const watched = startWatchdog(t, { workers: 2, inWorker: resizing, ...options });
    const [first] = await watched.workers(2);
    for (let n = 0; n < 2; n++) await watched.said('resizes');
    await until('the watchdog waits', () => stat(watched.pid, 3) === 'S');
    first?.handle.signal('SIGUSR1');
    await watched.worker();
    assert.deepEqual(sparesOf(watched.pid), []);
    assert.equal(childrenOf(watched.pid).length, 3);
  });
}

test('there is no spare worker before all are ready', async (t) => {
  const watched = startWatchdog(t, {
    readiness: 'manual',
    workers: 2,
    inWorker: ({ say }, worker) => {
      process.on('SIGUSR2', () => worker.ready());
      say({ listens: true });
      setInterval(() => {}, 1e6);
    },
  });
  const [first, second] = await watched.workers(2);
  for (let n = 0; n < 2; n++) await watched.said('listens');
  first?.handle.signal('SIGUSR2');
  await until('the watchdog has heard it', () => stat(watched.pid, 3) === 'S');
  assert.equal(childrenOf(watched.pid).length, 2);
  second?.handle.signal('SIGUSR2');
  await spareOf(watched);
});

test('a spare worker wakes with the log that is open then', async (t) => {
  const folder = temporaryDirectory(t);
  const [pidFile, log] = [join(folder, 'pid'), join(folder, 'log')];
  const stage = stageOf({
    before:
      `({ posix }) => posix.daemonize({ pidFile: ${JSON.stringify(pidFile)}, stdout: ${JSON.stringify(log)} })` as never,
  });
  await startProgram(t, process.execPath, [fixturePath('watchdog'), stage]).outcome;
  const daemon = findDaemon(pidFile);
  t.after(() => daemon?.signal('SIGKILL'));
  assert.ok(daemon);
  const hold = () => daemon as never;
  const { pid: first } = await spareOf({ pid: daemon.pid, hold });
  renameSync(log, `${log}.1`);
  daemon.signal('SIGHUP');
  const { pid: second } = await spareOf({ pid: daemon.pid, hold }, { pid: first });
  await until('the log is there', () => existsSync(log));
  assert.equal(statSync(`/proc/${second}/fd/1`).ino, statSync(log).ino);
});
