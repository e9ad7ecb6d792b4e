import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Pool } from '#dist/watchdog/pool.js';
import type { Running } from '#dist/watchdog/slot.js';
import { childrenOf } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';
import { resizing, startWatchdog, titleOf, untilGone } from '../helpers/watchdog.js';

test('each worker has its index, in the environment too, and ps shows who is who', async (t) => {
  const watched = startWatchdog(t, {
    workers: 3,
    title: 'app',
    inWorker: ({ say }) => {
      say({ environment: process.env.WORKER_INDEX });
      setInterval(() => {}, 1e6);
    },
  });
  const workers = await watched.workers(3);
  assert.deepEqual(
    workers.map(({ index }) => index),
    [1, 2, 3],
  );
  const said = [];
  for (const _ of workers) said.push(await watched.said('environment'));
  assert.deepEqual(said.sort(), ['1', '2', '3']);
  assert.equal(titleOf(watched.pid), 'app: watchdog');
  for (const { index, pid, keeper } of workers) {
    assert.equal(titleOf(pid), `app: worker ${index}`);
    assert.match(titleOf(keeper), /^app: keeper/);
    assert.equal(Number(procStatus(keeper, 'PPid')), watched.pid);
  }
});

test('a worker that dies touches no other', async (t) => {
  const watched = startWatchdog(t, { workers: 3 });
  const [first, second, third] = await watched.workers(3);
  second?.handle.signal('SIGKILL');
  assert.equal((await watched.worker()).index, 2);
  assert.ok(first?.handle.alive && third?.handle.alive);
});

test('the workers are asked to end together, and all of them have ended when the watchdog has', async (t) => {
  const watched = startWatchdog(t, { workers: 3 });
  const workers = await watched.workers(3);
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).signal, 'SIGTERM');
  assert.ok(workers.every(({ handle }) => !handle.alive));
});

test('SIGKILL of the watchdog takes all of a pool', async (t) => {
  const watched = startWatchdog(t, { workers: 4 });
  const workers = await watched.workers(4);
  watched.signal('SIGKILL');
  await untilGone('the pool', ...workers.map(({ handle }) => handle));
});

test('a worker is added, and the last one is taken away', async (t) => {
  const watched = startWatchdog(t, { workers: 1, standby: false, inWorker: resizing });
  const [first] = await watched.workers(1);
  await watched.said('resizes');
  first?.handle.signal('SIGUSR1');
  const second = await watched.worker();
  assert.equal(second.index, 2);
  first?.handle.signal('SIGUSR2');
  const exit = await watched.exit();
  assert.deepEqual([exit.worker, exit.reason, exit.restartsInMs], [2, 'stop', null]);
  assert.deepEqual(childrenOf(watched.pid), [first?.keeper]);
  first?.handle.signal('SIGUSR1');
  assert.equal((await watched.worker()).index, 2);
  assert.ok(first?.handle.alive);
});

test('SIGTTIN and SIGTTOU change nothing: the kernel sends them, and no person', async (t) => {
  const watched = startWatchdog(t, {
    workers: 2,
    standby: false,
    inWorker: ({ say }) => {
      process.on('SIGUSR1', () => say({ passedOn: true }));
      say({ listens: true });
      setInterval(() => {}, 1e6);
    },
  });
  const workers = await watched.workers(2);
  for (const _ of workers) await watched.said('listens');
  for (const signal of ['SIGTTIN', 'SIGTTOU', 'SIGUSR1'] as const) watched.signal(signal);
  for (const _ of workers) await watched.said('passedOn');
  assert.deepEqual(childrenOf(watched.pid).sort(), workers.map(({ keeper }) => keeper).sort());
  assert.ok(workers.every(({ handle }) => handle.alive));
});

// One that is on its way out is no reason to forget a signal, or to give its number away twice.
test('a pool changed while a worker takes its time to end has the right size, each number once', async (t) => {
  const watched = startWatchdog(t, {
    workers: 3,
    standby: false,
    stopTimeoutMs: 400,
    inWorker: ({ say }, worker) => {
      process.on('SIGTERM', () => say({ asked: worker.index }));
      let wanted = 3;
      process.on('SIGUSR1', () => worker.resize(++wanted));
      process.on('SIGUSR2', () => worker.resize(--wanted));
      say({ listens: true });
      setInterval(() => {}, 1e6);
    },
  });
  const [first] = await watched.workers(3);
  for (let n = 0; n < 3; n++) await watched.said('listens');
  first?.handle.signal('SIGUSR2');
  assert.equal(await watched.said('asked'), 3);
  first?.handle.signal('SIGUSR2');
  assert.equal(await watched.said('asked'), 2);
  first?.handle.signal('SIGUSR1');
  const back = await watched.worker();
  await until('two are left', () => childrenOf(watched.pid).length === 2);
  first?.handle.signal('SIGUSR1');
  const added = await watched.worker();
  assert.deepEqual([first?.index, ...[back.index, added.index].sort()], [1, 2, 3]);
  assert.ok(first?.handle.alive);
});

test('a signal is heard between the starts of two workers', async (t) => {
  const watched = startWatchdog(t, {
    workers: 40,
    inWorker: (_, worker) => {
      process.kill(worker.status().pid, 'SIGTERM');
      setInterval(() => {}, 1e6);
    },
  });
  const { stdout } = await watched.outcome;
  assert.ok(stdout.split('"exit"').length - 1 < 40);
});

test('a worker’s pid is taken for the worker only when its keeper is gone', () => {
  const pool = new Pool(1, false, 0);
  const slot = pool.due(0);
  assert.ok(slot);
  const running = { pid: 1001, keeperPid: 1000, orphaned: false } as Running;
  slot.running = running;
  assert.deepEqual([pool.slotOf(1000), pool.slotOf(1001)], [slot, undefined]);
  running.orphaned = true;
  assert.deepEqual([pool.slotOf(1000), pool.slotOf(1001)], [undefined, slot]);
});
