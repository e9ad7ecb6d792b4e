import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CommandExit, CommandWorker, GivenUp, StartFailure } from 'posix-daemon';
import { NO_PAUSE, SLEEP, shell, startCommand } from '../helpers/command-watchdog.js';
import { temporaryDirectory } from '../helpers/exec.js';
import { untilGone } from '../helpers/watchdog.js';

test('a worker that dies is replaced at once', async (t) => {
  const watched = startCommand(t, SLEEP);
  const first = await watched.spawned();
  first.handle.signal('SIGKILL');
  const { exitCode, signal, restartsInMs, leftProcesses } = await watched.exit();
  assert.deepEqual(
    { exitCode, signal, restartsInMs, leftProcesses },
    {
      exitCode: null,
      signal: 'SIGKILL',
      restartsInMs: 0,
      leftProcesses: 0,
    },
  );
  const second = await watched.spawned();
  assert.deepEqual(await watched.next('restart'), { worker: 1, pid: second.pid, restarts: 1 });
});

test('the pauses grow, up to maxMs', async (t) => {
  const watched = startCommand(t, {
    command: 'false',
    backoff: { initialMs: 4, maxMs: 10, factor: 2, jitter: 0 },
    maxRestarts: { count: 4 },
  });
  const pauses: (number | null)[] = [];
  while (pauses.length < 5) pauses.push((await watched.exit()).restartsInMs);
  assert.deepEqual(pauses, [0, 4, 8, 10, null]);
});

test('a worker is given up after maxRestarts, and the process ends with its exit code', async (t) => {
  const watched = startCommand(t, {
    ...shell('exit 7'),
    backoff: NO_PAUSE,
    maxRestarts: { count: 2, windowMs: 60_000 },
  });
  const { reason, ...givenUp } = await watched.next<GivenUp>('giveUp');
  assert.deepEqual(givenUp, { worker: 1, exitCode: 7, signal: null });
  assert.equal(reason, 'exit code 7, after 2 restarts within 60000 ms');
  assert.deepEqual(await watched.next('stopped'), { exitCode: 7, signal: null });
  const { code, stderr } = await watched.outcome;
  assert.equal(code, 7);
  assert.match(stderr, /worker 1 is given up: exit code 7, after 2 restarts within 60000 ms/);
});

for (const [options, script, restarts] of [
  [{ restart: 'never' }, 'exit 1', false],
  [{ restart: 'on-failure' }, 'exit 0', false],
  [{ restart: 'on-failure' }, 'exit 1', true],
  [{ restart: 'on-failure', successExitCodes: [0, 3] }, 'exit 3', false],
  [{ restart: 'on-failure', successExitCodes: ['SIGTERM'] }, 'kill $$', false],
  [{ restart: 'on-failure', successExitCodes: [] }, 'exit 0', true],
  [{ restart: 'always' }, 'exit 0', true],
] as const) {
  test(`${JSON.stringify(options)}: "${script}" is ${restarts ? '' : 'not '}started again`, async (t) => {
    const watched = startCommand(t, { ...shell(script), ...options, maxRestarts: { count: 1 } });
    assert.equal((await watched.exit()).restartsInMs, restarts ? 0 : null);
  });
}

const FAILURES: Record<string, { command: string | [string, ...string[]]; code: string; path: string; says?: RegExp }> =
  {
    'a command that isn’t there': { command: 'nonesuch-program', code: 'ENOENT', path: 'nonesuch-program' },
    'a path that isn’t there': { command: '/nonexistent/program', code: 'ENOENT', path: '/nonexistent/program' },
    'a command that can’t be executed': { command: '/etc/passwd', code: 'EACCES', path: '/etc/passwd' },
    'a folder': { command: '/etc', code: 'EACCES', path: '/etc' },
    'a whole command line': {
      command: 'sleep 1000',
      code: 'ENOENT',
      path: 'sleep 1000',
      says: /arguments belong into `args`/,
    },
  };

for (const [what, { command, code, path, says = /(?:)/ }] of Object.entries(FAILURES)) {
  test(`${what} is tried again with pauses, and given up with ${code}; the application goes on`, async (t) => {
    const watched = startCommand(t, {
      command,
      signals: false,
      backoff: { initialMs: 2, maxMs: 4, jitter: 0 },
      maxRestarts: { count: 3 },
    });
    const pauses: (number | null)[] = [];
    while (pauses.length < 4) {
      const { error, restartsInMs, worker } = await watched.next<StartFailure>('failed');
      assert.deepEqual({ code: error.code, path: error.path, worker }, { code, path, worker: 1 });
      pauses.push(restartsInMs);
    }
    assert.deepEqual(pauses, [2, 4, 4, null], 'never at once');
    const { error, reason } = await watched.next<GivenUp>('giveUp');
    assert.equal(error?.code, code);
    assert.ok(reason.startsWith(`${error?.message}, after 3 restarts`), reason);
    assert.match(reason, says);
    assert.deepEqual(await watched.next('stopped'), { exitCode: 127, signal: null });
    assert.equal((await watched.status()).workers[0]?.state, 'givenUp');
  });
}

test('restart() replaces the workers one after the other, each when the one before it is ready', async (t) => {
  const watched = startCommand(t, { ...SLEEP, workers: 3 });
  const old = [await watched.spawned(), await watched.spawned(), await watched.spawned()];
  for (let i = 0; i < 3; i++) await watched.next('ready');
  watched.tell('restart');
  const order: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { worker, reason, restartsInMs } = await watched.exit();
    assert.deepEqual({ reason, restartsInMs }, { reason: 'restart', restartsInMs: 0 });
    const ready = await watched.next<CommandWorker>('ready');
    order.push(`${worker} ${ready.worker}`);
  }
  assert.deepEqual(order, ['1 1', '2 2', '3 3']);
  assert.equal(await watched.next('answer'), null, 'it is done');
  await untilGone('the old ones', ...old.map(({ handle }) => handle));
});

test('restart() replaces a worker that is never restarted otherwise', async (t) => {
  const watched = startCommand(t, { ...SLEEP, restart: 'never' });
  const { pid } = await watched.spawned();
  await watched.ask('restart');
  assert.notEqual((await watched.spawned()).pid, pid);
});

test('restart() is refused when the new worker is given up', async (t) => {
  // It sleeps the first time only.
  const watched = startCommand(t, {
    ...shell('mkdir "$0" 2>/dev/null && exec sleep 1000; exit 4'),
    args: [join(temporaryDirectory(t), 'once')],
    backoff: NO_PAUSE,
    maxRestarts: { count: 1 },
    readiness: { upMs: 200 },
    signals: false,
  });
  await watched.next('ready');
  watched.tell('restart');
  assert.equal((await watched.next<NodeJS.ErrnoException>('answer')).code, 'ERR_RESTART_FAILED');
});

test('resize() makes more workers or fewer, the last ones first', async (t) => {
  const watched = startCommand(t, { ...SLEEP, workers: 2 });
  await watched.spawned();
  await watched.spawned();
  await watched.ask('resize', 4);
  assert.deepEqual([(await watched.spawned()).worker, (await watched.spawned()).worker].sort(), [3, 4]);
  await watched.ask('resize', 1);
  const ends: CommandExit[] = [await watched.exit(), await watched.exit(), await watched.exit()];
  assert.deepEqual(ends.map(({ worker }) => worker).sort(), [2, 3, 4]);
  assert.ok(ends.every(({ reason, restartsInMs }) => reason === 'stop' && restartsInMs === null));
  assert.deepEqual(
    (await watched.status()).workers.map(({ index, state }) => `${index} ${state}`),
    ['1 running'],
  );
});

test('resize(0) is refused', async (t) => {
  const watched = startCommand(t, SLEEP);
  assert.equal((await watched.ask<NodeJS.ErrnoException>('resize', 0)).code, 'ERR_OUT_OF_RANGE');
});

test('signal() reaches all workers', async (t) => {
  const watched = startCommand(t, {
    ...shell('trap "echo got; exit 0" USR2; echo trapped; while :; do sleep 0.01; done'),
    workers: 2,
    restart: 'never',
  });
  for (let i = 0; i < 2; i++) assert.equal(await watched.next('line'), 'trapped');
  await watched.ask('signal', 'SIGUSR2');
  for (let i = 0; i < 2; i++) assert.equal(await watched.next('line'), 'got');
});
