import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { usableCgroup } from '#dist/watchdog/cgroup.js';
import { SLEEP, shell, startCommand } from '../helpers/command-watchdog.js';
import { stat } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';
import { untilGone } from '../helpers/watchdog.js';

const EXITS = shell('trap "exit 5" TERM USR2; echo trapped; while :; do sleep 0.01; done');
const DEAF = shell('trap "" TERM; sleep 1000 & echo $!; echo trapped; while :; do sleep 0.01; done');

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  test(`${signal} to the process asks the worker to end; the process ends with its exit code`, async (t) => {
    const watched = startCommand(t, EXITS);
    assert.equal(await watched.next('line'), 'trapped');
    watched.signal(signal);
    const { exitCode, reason, restartsInMs } = await watched.exit();
    assert.deepEqual({ exitCode, reason, restartsInMs }, { exitCode: 5, reason: 'stop', restartsInMs: null });
    assert.equal((await watched.outcome).code, 5);
  });
}

test('a worker that the signal ends has the process end by the same signal', async (t) => {
  const watched = startCommand(t, SLEEP);
  await watched.spawned();
  watched.signal('SIGINT');
  const { code, signal } = await watched.outcome;
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGTERM' });
});

test('stopSignal is what the worker is asked with', async (t) => {
  const watched = startCommand(t, { ...EXITS, stopSignal: 'SIGUSR2' });
  assert.equal(await watched.next('line'), 'trapped');
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).code, 5);
});

test('a second signal kills', async (t) => {
  const watched = startCommand(t, { ...DEAF, stopTimeoutMs: 60_000 });
  const { handle } = await watched.spawned();
  const member = watched.hold(Number(await watched.next('line')));
  assert.equal(await watched.next('line'), 'trapped');
  watched.signal('SIGTERM');
  // The signal has been heard, and a second one is a second one.
  while ((await watched.status()).workers[0]?.state !== 'stopping');
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).signal, 'SIGKILL');
  await untilGone('both', handle, member);
});

test('stop() kills after stopTimeoutMs, with all that the worker has started, and the application goes on', async (t) => {
  const watched = startCommand(t, { ...DEAF, stopTimeoutMs: 50 });
  const { handle } = await watched.spawned();
  const member = watched.hold(Number(await watched.next('line')));
  assert.equal(await watched.next('line'), 'trapped');
  assert.deepEqual(await watched.ask('stop'), { exitCode: null, signal: 'SIGKILL' });
  assert.ok(!handle.alive && !member.alive);
  assert.deepEqual(await watched.ask('stop'), { exitCode: null, signal: 'SIGKILL' }, 'the same again');
  assert.ok(watched.handle.alive);
});

test('stop() twice is not kill()', async (t) => {
  const watched = startCommand(t, EXITS);
  assert.equal(await watched.next('line'), 'trapped');
  watched.tell('stop');
  assert.deepEqual(await watched.ask('stop'), { exitCode: 5, signal: null });
});

test('kill() takes no time', async (t) => {
  const watched = startCommand(t, { ...DEAF, stopTimeoutMs: 60_000 });
  const member = watched.hold(Number(await watched.next('line')));
  assert.equal(await watched.next('line'), 'trapped');
  assert.deepEqual(await watched.ask('kill'), { exitCode: null, signal: 'SIGKILL' });
  assert.ok(!member.alive);
});

for (const how of ['stop', 'kill'] as const) {
  test(`${how}() is heard by a supervisor that was stopped`, async (t) => {
    const watched = startCommand(t, { ...EXITS, signals: false });
    assert.equal(await watched.next('line'), 'trapped');
    const supervisor = watched.hold((await watched.status()).supervisorPid as number);
    supervisor.signal('SIGSTOP');
    await until('it is stopped', () => stat(supervisor.pid, 3) === 'T');
    const end = how === 'stop' ? { exitCode: 5, signal: null } : { exitCode: null, signal: 'SIGKILL' };
    assert.deepEqual(await watched.ask(how), end);
    assert.equal((await watched.exit()).reason, how === 'stop' ? 'stop' : undefined);
  });
}

test('kill() kills a supervisor that does nothing', async (t) => {
  const parent = usableCgroup();
  if (parent === undefined) return t.skip('no cgroup can be made here');
  const watched = startCommand(t, { ...DEAF, signals: false });
  const { handle } = await watched.spawned();
  const member = watched.hold(Number(await watched.next('line')));
  assert.equal(await watched.next('line'), 'trapped');
  const supervisor = watched.hold((await watched.status()).supervisorPid as number);
  // SIGCONT means nothing to what is frozen.
  const freezer = mkdtempSync(join(parent, 'frozen-'));
  t.after(() => until('the group is empty', () => readFileSync(join(freezer, 'cgroup.procs'), 'utf8') === ''));
  t.after(() => rmdirSync(freezer));
  writeFileSync(join(freezer, 'cgroup.procs'), `${supervisor.pid}`);
  writeFileSync(join(freezer, 'cgroup.freeze'), '1');
  await until('it is frozen', () => readFileSync(join(freezer, 'cgroup.events'), 'utf8').includes('frozen 1'));
  assert.deepEqual(await watched.ask('kill'), { exitCode: null, signal: 'SIGKILL' });
  assert.ok(!supervisor.alive && !handle.alive && !member.alive);
  assert.equal((await watched.exit()).reason, 'supervisor');
});

test('stop() in a pause between two workers ends it', async (t) => {
  const watched = startCommand(t, { ...shell('exit 6'), backoff: { initialMs: 60_000, maxMs: 60_000 } });
  while ((await watched.exit()).restartsInMs === 0);
  assert.deepEqual(await watched.ask('stop'), { exitCode: 6, signal: null });
});

test('stop() in a pause between two supervisors ends it', async (t) => {
  const watched = startCommand(t, { ...SLEEP, backoff: { initialMs: 60_000, maxMs: 60_000 } });
  do {
    await watched.spawned();
    watched.hold((await watched.status()).supervisorPid as number).signal('SIGKILL');
  } while ((await watched.exit()).restartsInMs === 0);
  assert.deepEqual(await watched.ask('stop'), { exitCode: null, signal: 'SIGKILL' });
});

test('with signals: false a signal is the application’s own business', async (t) => {
  const watched = startCommand(t, { ...SLEEP, signals: false });
  const { handle } = await watched.spawned();
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).signal, 'SIGTERM');
  await untilGone('the worker', handle);
});

test('with signals: false the process goes on when all is over', async (t) => {
  const watched = startCommand(t, { command: 'true', restart: 'never', signals: false });
  assert.deepEqual(await watched.next('stopped'), { exitCode: 0, signal: null });
  assert.equal((await watched.status()).workers[0]?.state, 'finished');
});

test('two Watchdogs stop by one signal, and the process ends as the last one', async (t) => {
  const deaf = { ...DEAF, stopTimeoutMs: 60_000 };
  const watched = startCommand(t, [EXITS, deaf]);
  await watched.spawned();
  await watched.spawned();
  for (let i = 0; i < 3; i++) await watched.next('line');
  watched.signal('SIGTERM');
  assert.deepEqual(await watched.next('stopped'), { exitCode: 5, signal: null });
  assert.ok(watched.handle.alive);
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).signal, 'SIGKILL');
});

test('signals that mean something to the app reach the worker', async (t) => {
  const signals = ['HUP', 'USR1', 'USR2', 'WINCH'];
  const traps = signals.map((signal) => `trap "echo ${signal}" ${signal}`).join('; ');
  const watched = startCommand(t, shell(`${traps}; echo trapped; while :; do sleep 0.01; done`));
  assert.equal(await watched.next('line'), 'trapped');
  for (const signal of signals) {
    watched.signal(`SIG${signal}` as NodeJS.Signals);
    assert.equal(await watched.next('line'), signal);
  }
});

test('SIGTTIN makes no worker more: the kernel sends it, and no person', async (t) => {
  const watched = startCommand(t, SLEEP);
  await watched.spawned();
  watched.signal('SIGTTIN');
  watched.signal('SIGCONT');
  // Two turns of the event loop: the signals have come.
  await watched.status();
  assert.equal((await watched.status()).workers.length, 1);
});

test('SIGTSTP stops the process and its worker, SIGCONT continues both', async (t) => {
  // As a shell's job: SIGTSTP stops nothing in a process group that nobody could continue.
  const job = ['-c', 'set -m; "$@" & exec sleep 1000', 'bash', process.execPath];
  const watched = startCommand(t, SLEEP, { execPath: 'bash', execArgv: job });
  const { pid, guard } = await watched.spawned();
  const parent = watched.hold(Number(procStatus(Number(procStatus(guard, 'PPid')), 'PPid')));
  const stopped = (one: number) => stat(one, 3) === 'T';
  parent.signal('SIGTSTP');
  await until('both are stopped', () => stopped(parent.pid) && stopped(pid));
  parent.signal('SIGCONT');
  await until('both go on', () => !stopped(parent.pid) && !stopped(pid));
  assert.equal((await watched.status()).workers[0]?.pid, pid);
});
