import assert from 'node:assert/strict';
import { test } from 'node:test';
import { childrenOf, stat } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { startWatchdog, untilGone } from '../helpers/watchdog.js';

const exitWith = `({ say }) => {
  for (const signal of ['SIGTERM', 'SIGUSR2', 'SIGINT', 'SIGQUIT']) {
    process.on(signal, () => { say({ got: signal }); process.exit(5); });
  }
  say({ listens: true });
  setInterval(() => {}, 1e6);
}` as never;

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  test(`${signal} asks the worker to end, and the watchdog ends with its exit code`, async (t) => {
    const watched = startWatchdog(t, { inWorker: exitWith });
    const worker = await watched.worker();
    await watched.said('listens');
    watched.signal(signal);
    assert.equal(await watched.said('got'), 'SIGTERM');
    const { pid, exitCode, reason, restartsInMs } = await watched.exit();
    assert.deepEqual(
      { pid, exitCode, reason, restartsInMs },
      { pid: worker.pid, exitCode: 5, reason: 'stop', restartsInMs: null },
    );
    const { code } = await watched.outcome;
    assert.equal(code, 5);
  });
}

test('stopSignal is what the worker is asked with', async (t) => {
  const watched = startWatchdog(t, { stopSignal: 'SIGUSR2', inWorker: exitWith });
  await watched.said('listens');
  watched.signal('SIGTERM');
  assert.equal(await watched.said('got'), 'SIGUSR2');
  assert.equal((await watched.outcome).code, 5);
});

test('a worker that the signal ends has its watchdog end by the same signal', async (t) => {
  const watched = startWatchdog(t);
  await watched.worker();
  watched.signal('SIGTERM');
  const { code, signal } = await watched.outcome;
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGTERM' });
});

const ignore = `({ say, child_process }) => {
  process.on('SIGTERM', () => say({ ignored: true }));
  say({ member: child_process.spawn('setsid', ['sleep', '1000']).pid });
  setInterval(() => {}, 1e6);
}` as never;

test('stopTimeoutMs kills a worker that goes on, and what it has started', async (t) => {
  const watched = startWatchdog(t, { stopTimeoutMs: 50, inWorker: ignore });
  const { handle } = await watched.worker();
  const member = watched.hold(await watched.said('member'));
  watched.signal('SIGTERM');
  await watched.said('ignored');
  const { code, signal } = await watched.outcome;
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGKILL' });
  await untilGone('both', handle, member);
});

test('a second signal kills at once', async (t) => {
  const watched = startWatchdog(t, { stopTimeoutMs: 60_000, inWorker: ignore });
  const { handle } = await watched.worker();
  const member = watched.hold(await watched.said('member'));
  watched.signal('SIGINT');
  await watched.said('ignored');
  // One that comes right behind the first doesn't count.
  await until('killed', () => {
    if (watched.handle.alive) watched.signal('SIGINT');
    return !handle.alive;
  });
  assert.equal((await watched.outcome).signal, 'SIGKILL');
  await untilGone('both', handle, member);
});

test('two signals at once, as timeout(1) and npm send them, leave the worker its time', async (t) => {
  const watched = startWatchdog(t, { stopTimeoutMs: 60_000, inWorker: exitWith });
  await watched.said('listens');
  watched.signal('SIGSTOP');
  await until('stopped', () => stat(watched.pid, 3) === 'T');
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGCONT'] as const) watched.signal(signal);
  assert.equal((await watched.outcome).code, 5);
});

test('a worker is stopped though its keeper is', async (t) => {
  const watched = startWatchdog(t, { stopTimeoutMs: 60_000 });
  const { keeper, handle } = await watched.worker();
  watched.hold(keeper).signal('SIGSTOP');
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).signal, 'SIGTERM');
  await untilGone('the worker', handle);
});

test('a worker that ignores the end is killed though its keeper is stopped', async (t) => {
  const watched = startWatchdog(t, { stopTimeoutMs: 50, inWorker: ignore });
  const { keeper, handle } = await watched.worker();
  const member = watched.hold(await watched.said('member'));
  watched.hold(keeper).signal('SIGSTOP');
  watched.signal('SIGTERM');
  await watched.outcome;
  await untilGone('both', handle, member);
});

test('a watchdog that is stopped in a pause between two workers ends as the last one did', async (t) => {
  const watched = startWatchdog(t, {
    backoff: { initialMs: 60_000, maxMs: 60_000 },
    inWorker: () => process.exit(6),
  });
  while ((await watched.exit()).restartsInMs === 0);
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).code, 6);
});

test('SIGKILL of the keeper while its worker is asked to end ends the watchdog all the same', async (t) => {
  const watched = startWatchdog(t, { stopTimeoutMs: 60_000, inWorker: ignore });
  const { keeper, handle } = await watched.worker();
  const member = watched.hold(await watched.said('member'));
  watched.signal('SIGTERM');
  await watched.said('ignored');
  watched.hold(keeper).signal('SIGKILL');
  assert.equal((await watched.outcome).signal, 'SIGKILL');
  await untilGone('both', handle, member);
});

test('signals that mean something to the app reach the worker', async (t) => {
  const watched = startWatchdog(t, {
    standby: false,
    inWorker: ({ say }) => {
      for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const) {
        process.on(signal, () => say({ got: signal }));
      }
      say({ listens: true });
      setInterval(() => {}, 1e6);
    },
  });
  await watched.said('listens');
  for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGCONT'] as const) {
    watched.signal(signal);
    assert.equal(await watched.said('got'), signal);
  }
  assert.equal(childrenOf(watched.pid).length, 1);
});
