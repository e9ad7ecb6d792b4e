// What a worker can ask for and find out.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PoolStatus, WatchdogOptions } from 'posix-daemon';
import { type Started, startWatchdog, type Watched } from '../helpers/watchdog.js';

/** Workers that do what a signal says, and tell what they see. */
async function pool(t: TestContext, options: WatchdogOptions): Promise<{ watched: Watched; all: Started[] }> {
  const watched = startWatchdog(t, {
    ...options,
    inWorker: ({ say, posix }, worker) => {
      process.on('SIGCONT', () => worker.ready());
      process.on('SIGUSR1', () => worker.restartAll());
      process.on('SIGUSR2', () => worker.resize(worker.status().workers.length + 1));
      process.on('SIGHUP', () => worker.resize(1));
      process.on('SIGWINCH', () => say({ status: worker.status() }));
      process.on('SIGQUIT', () => {
        const codeOf = (call: () => unknown) => {
          try {
            call();
            return 'none';
          } catch (error) {
            return (error as NodeJS.ErrnoException).code;
          }
        };
        const codes = [0, 1.5, '2', 10_001].map((workers) => codeOf(() => worker.resize(workers as number)));
        const pid = posix.fork();
        if (pid !== 0) return posix.waitpid(pid);
        codes.push(...[() => worker.resize(1), () => worker.restartAll(), () => worker.status()].map(codeOf));
        say({ codes });
        return posix._exit(0);
      });
      say({ listens: true });
      setInterval(() => {}, 1e6);
    },
  });
  const all = await watched.workers(options.workers ?? 1);
  for (const _ of all) await watched.said('listens');
  return { watched, all };
}

async function statusOf(watched: Watched, { handle }: Started): Promise<PoolStatus> {
  handle.signal('SIGWINCH');
  return watched.said('status');
}

test('a worker changes how many there are', async (t) => {
  const { watched, all } = await pool(t, { workers: 2 });
  all[1]?.handle.signal('SIGUSR2');
  const third = await watched.worker();
  assert.equal(third.index, 3);
  await watched.said('listens');
  all[0]?.handle.signal('SIGHUP');
  const exits = [await watched.exit(), await watched.exit()];
  assert.deepEqual(
    exits.map(({ pid, reason }) => [pid, reason]).sort(),
    [all[1]?.pid, third.pid].map((pid) => [pid, 'stop']).sort(),
  );
  assert.ok(all[0]?.handle.alive);
});

test('restartAll() replaces one worker after the other, the one that asks too', async (t) => {
  const { watched, all } = await pool(t, { workers: 3, readiness: 'manual', maxRestarts: { count: 1 } });
  for (const { handle } of all) handle.signal('SIGCONT');
  all[2]?.handle.signal('SIGUSR1');
  for (const old of all) {
    const exit = await watched.exit();
    assert.deepEqual([exit.worker, exit.pid, exit.reason, exit.restartsInMs], [old.index, old.pid, 'restart', 0]);
    const next = await watched.worker();
    assert.equal(next.index, old.index);
    await watched.said('listens');
    assert.ok(all.slice(old.index).every(({ handle }) => handle.alive));
    // Only now is the one after it asked.
    next.handle.signal('SIGCONT');
  }
});

test('status() tells of each worker, and of the watchdog', async (t) => {
  const { watched, all } = await pool(t, { workers: 2, maxRestarts: { count: 1 }, standby: false });
  const [first, second] = all as [Started, Started];
  const before = Date.now();
  second.handle.signal('SIGKILL');
  const next = await watched.worker();
  await watched.said('listens');
  let status: PoolStatus;
  // A worker runs some microseconds before the watchdog writes it down, and tells what has ended before.
  do status = await statusOf(watched, first);
  while (status.workers[1]?.state !== 'running' || status.workers[1].pid !== next.pid);
  assert.equal(status.pid, watched.pid);
  const [one, two] = status.workers;
  assert.deepEqual([one?.index, one?.state, one?.pid, one?.restarts], [1, 'running', first.pid, 0]);
  assert.equal(one?.lastExit, undefined);
  assert.ok((one?.rssBytes ?? 0) > 1 << 20);
  assert.ok((one?.startedAt ?? 0) <= before);
  assert.deepEqual([two?.index, two?.pid, two?.restarts], [2, next.pid, 1]);
  assert.deepEqual([two?.lastExit?.exitCode, two?.lastExit?.signal], [null, 'SIGKILL']);
  assert.ok((two?.lastExit?.endedAt ?? 0) >= before && (two?.startedAt ?? 0) >= before);
  next.handle.signal('SIGKILL');
  for (let n = 0; n < 2; n++) await watched.exit();
  // The watchdog calls onExit before it writes it down.
  do status = await statusOf(watched, first);
  while (status.workers[1]?.state !== 'givenUp');
  assert.equal(status.workers[1].pid, undefined);
});

test('status() costs the watchdog nothing: it answers though that is stopped', async (t) => {
  const { watched, all } = await pool(t, {});
  while ((await statusOf(watched, all[0] as Started)).standbyPid === undefined);
  watched.signal('SIGSTOP');
  const status = await statusOf(watched, all[0] as Started);
  watched.signal('SIGCONT');
  assert.deepEqual([status.pid, status.workers[0]?.pid], [watched.pid, all[0]?.pid]);
});

test('a wrong number of workers is refused, and so is a request from what a worker has forked', async (t) => {
  const { watched, all } = await pool(t, {});
  all[0]?.handle.signal('SIGQUIT');
  assert.deepEqual(await watched.said('codes'), [
    'ERR_OUT_OF_RANGE',
    'ERR_OUT_OF_RANGE',
    'ERR_INVALID_ARG_TYPE',
    'ERR_OUT_OF_RANGE',
    'EBADF',
    'EBADF',
    'EBADF',
  ]);
});
