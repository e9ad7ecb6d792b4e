// What goes wrong in the watchdog itself is told in its standard error, and ends nobody.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startWatchdog } from '../helpers/watchdog.js';

test('a watchdog that nobody hears any more gives up a worker and keeps the others', async (t) => {
  const watched = startWatchdog(t, {
    workers: 2,
    maxRestarts: { count: 0, windowMs: 1000 },
    before: ({ posix, fs }) => {
      const [deaf, stderr] = posix.pipe();
      fs.closeSync(deaf);
      posix.dup2(stderr, 2);
    },
  });
  const [first, second] = await watched.workers(2);
  first?.handle.signal('SIGKILL');
  assert.equal((await watched.exit()).restartsInMs, null);
  watched.signal('SIGTERM');
  const { pid, reason } = await watched.exit();
  assert.deepEqual([pid, reason], [second?.pid, 'stop']);
});

test('a hook of atfork() that throws in the watchdog is told of, and the worker stays its worker', async (t) => {
  const watched = startWatchdog(t, {
    standby: false,
    maxRestarts: { count: 0, windowMs: 1000 },
    before: ({ posix }) =>
      posix.atfork({
        parent: () => {
          throw new Error('not in the watchdog');
        },
      }),
  });
  const { pid } = await watched.worker();
  watched.signal('SIGTERM');
  assert.equal((await watched.exit()).pid, pid);
  const { signal, stderr } = await watched.outcome;
  assert.equal(signal, 'SIGTERM');
  assert.match(stderr, /^watchdog\.js: a hook of atfork\(\) has thrown: Error: not in the watchdog\n/);
});

test('a watchdog that can’t write its status goes on, and writes it when it can', async (t) => {
  const watched = startWatchdog(t, {
    before: ({ posix }) => {
      process.on('SIGXFSZ', () => {});
      posix.setrlimit('fsize', { soft: 0, hard: Infinity });
      posix.atfork({ parent: () => posix.setrlimit('fsize', Infinity) });
    },
    inWorker: ({ say }, worker) => {
      setInterval(() => {
        try {
          say({ state: worker.status().workers[0]?.state });
        } catch (error) {
          say({ state: (error as NodeJS.ErrnoException).code });
        }
      }, 10);
    },
  });
  for (let asked = 0; (await watched.said('state')) !== 'running'; asked++) assert.ok(asked < 500);
});
