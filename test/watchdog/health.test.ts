import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { stat } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { startWatchdog } from '../helpers/watchdog.js';

test('a worker whose event loop is blocked is killed and replaced', async (t) => {
  const watched = startWatchdog(t, {
    heartbeat: { timeoutMs: 100 },
    inWorker: () => {
      setTimeout(() => {
        for (;;);
      }, 150);
    },
  });
  const { pid } = await watched.worker();
  const exit = await watched.exit();
  assert.deepEqual([exit.pid, exit.signal, exit.reason], [pid, 'SIGKILL', 'heartbeat']);
  await watched.worker();
});

test('a worker that is killed for its heartbeat has failed, though SIGKILL counts as success', async (t) => {
  const watched = startWatchdog(t, {
    restart: 'on-failure',
    successExitCodes: ['SIGKILL'],
    heartbeat: { timeoutMs: 100 },
    inWorker: () => {
      for (;;);
    },
  });
  await watched.worker();
  assert.equal((await watched.exit()).restartsInMs, 0);
});

test('a worker that is stopped gives no heartbeat, and is replaced', async (t) => {
  const watched = startWatchdog(t, { heartbeat: { timeoutMs: 200 } });
  const { handle } = await watched.worker();
  handle.signal('SIGSTOP');
  assert.equal((await watched.exit()).reason, 'heartbeat');
  await watched.worker();
});

test('a watchdog that was stopped together with its worker finds nothing wrong when both go on', async (t) => {
  const watched = startWatchdog(t, { heartbeat: { timeoutMs: 500 } });
  const { pid, handle } = await watched.worker();
  for (const member of [watched.handle, handle]) member.signal('SIGSTOP');
  await until('both are stopped', () => [watched.pid, pid].every((one) => stat(one, 3) === 'T'));
  await new Promise((resolve) => setTimeout(resolve, 700)); // longer than any heartbeat takes
  for (const member of [watched.handle, handle]) member.signal('SIGCONT');
  await new Promise((resolve) => setTimeout(resolve, 700));
  watched.signal('SIGTERM');
  const exit = await watched.exit();
  assert.deepEqual([exit.pid, exit.reason], [pid, 'stop']);
});

test('a watchdog that was frozen together with its worker, and heard nothing of it, finds nothing wrong', async (t) => {
  if (spawnSync('gdb', ['--version']).status !== 0) return t.skip('no gdb');
  const watched = startWatchdog(t, { standby: false, heartbeat: { timeoutMs: 1000 } });
  const { pid, handle } = await watched.worker();
  // Stands still for as long as gdb is there, and gets no SIGCONT when it isn't.
  const freezer = spawn('gdb', ['-nx', '-q', '-iex', 'set auto-solib-add off', '-p', `${watched.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.after(() => void freezer.kill('SIGKILL'));
  await until('the watchdog is frozen', () => stat(watched.pid, 3) === 't');
  handle.signal('SIGSTOP');
  const thawAt = performance.now() + 1200;
  await until('the heartbeat is late', () => performance.now() > thawAt);
  freezer.kill('SIGKILL');
  await until('the watchdog is thawed', () => stat(watched.pid, 3) === 'S');
  handle.signal('SIGCONT');
  const beatsUntil = performance.now() + 1200;
  await until('another heartbeat is due', () => performance.now() > beatsUntil);
  watched.signal('SIGTERM');
  const exit = await watched.exit();
  assert.deepEqual([exit.pid, exit.reason], [pid, 'stop']);
});

test('a worker that is busy with its end is given its time, heartbeat or not', async (t) => {
  const watched = startWatchdog(t, {
    heartbeat: { timeoutMs: 300 },
    inWorker: ({ say }) => {
      process.on('SIGTERM', () => {
        for (const end = performance.now() + 700; performance.now() < end; );
        process.exit(4);
      });
      say({ listens: true });
      setInterval(() => {}, 1e6);
    },
  });
  await watched.said('listens');
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).code, 4);
});

test('a worker that isn’t ready in time is killed and replaced', async (t) => {
  const watched = startWatchdog(t, { readiness: 'manual', readyTimeoutMs: 100 });
  const { pid } = await watched.worker();
  const exit = await watched.exit();
  assert.deepEqual([exit.pid, exit.signal, exit.reason], [pid, 'SIGKILL', 'ready']);
  await watched.worker();
});

test('a worker that says that it is ready stays', async (t) => {
  const watched = startWatchdog(t, {
    readiness: 'manual',
    readyTimeoutMs: 400,
    inWorker: ({ say }, worker) => {
      worker.ready();
      worker.ready();
      setTimeout(() => say({ later: true }), 800);
    },
  });
  const { pid } = await watched.worker();
  await watched.said('later');
  watched.signal('SIGTERM');
  assert.deepEqual([(await watched.exit()).pid], [pid]);
});

for (const restart of ['always', 'on-failure'] as const) {
  test(`restart '${restart}': a worker that has grown too large is asked to end, and replaced`, async (t) => {
    const watched = startWatchdog(t, {
      restart,
      maxRssBytes: 200 << 20,
      inWorker: ({ state }) => {
        process.on('SIGTERM', () => process.exit(0));
        state.much = Buffer.alloc(250 << 20, 1);
        setInterval(() => {}, 1e6);
      },
    });
    const { pid } = await watched.worker();
    const exit = await watched.exit();
    assert.deepEqual([exit.pid, exit.exitCode, exit.reason], [pid, 0, 'maxRss']);
    await watched.worker();
  });
}
