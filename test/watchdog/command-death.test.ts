// What dies with what, where a Watchdog runs a command.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CommandExit, CommandOptions, ProcessHandle } from 'posix-daemon';
import { keeperCgroup, usableCgroup } from '#dist/watchdog/cgroup.js';
import { type Commanded, SLEEP, shell, startCommand } from '../helpers/command-watchdog.js';
import { asNobody, childrenOf, isRoot, temporaryDirectory } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { untilGone, zombiesOf } from '../helpers/watchdog.js';

/** Starts one process of each kind that is hard to get rid of; each tells its pid. */
const FAMILY = [
  'sh -c "echo \\$\\$; exec sleep 1000" &',
  'setsid sh -c "echo \\$\\$; exec sleep 1000" &',
  '(setsid sh -c "echo \\$\\$; exec sleep 1000" &)',
  `sh -c "trap '' HUP INT QUIT TERM USR1 CONT; echo \\$\\$; exec sleep 1000" &`,
  'sh -c "echo \\$\\$; kill -STOP \\$\\$" &',
  'sh -c "echo \\$\\$; while :; do :; done" &',
];

interface Family {
  watched: Commanded;
  worker: Awaited<ReturnType<Commanded['spawned']>>;
  members: ProcessHandle[];
}

async function withFamily(t: TestContext, options: Partial<CommandOptions> = {}): Promise<Family> {
  const watched = startCommand(t, { ...shell([...FAMILY, 'wait'].join('\n')), ...options });
  const worker = await watched.spawned();
  const members: ProcessHandle[] = [];
  while (members.length < FAMILY.length) members.push(watched.hold(Number(await watched.next('line'))));
  return { watched, worker, members };
}

test('SIGKILL of the process takes supervisor, guard, worker and all that it has started', async (t) => {
  const { watched, worker, members } = await withFamily(t);
  const supervisor = watched.hold((await watched.status()).supervisorPid as number);
  const guard = watched.hold(worker.guard);
  watched.signal('SIGKILL');
  await untilGone('the tree', worker.handle, supervisor, guard, ...members);
});

for (const how of ['throw', 'exit'] as const) {
  test(`a process that ends by ${how} takes them along`, async (t) => {
    const { watched, worker, members } = await withFamily(t);
    watched.tell(how);
    await watched.outcome;
    await untilGone('the tree', worker.handle, ...members);
  });
}

test('SIGKILL of the process while its supervisor is stopped takes them all the same', async (t) => {
  const { watched, worker, members } = await withFamily(t);
  const supervisor = watched.hold((await watched.status()).supervisorPid as number);
  supervisor.signal('SIGSTOP');
  watched.signal('SIGKILL');
  await untilGone('the tree', worker.handle, ...members);
});

test('a forked child keeps nothing alive, and hears nothing of the workers', async (t) => {
  const { watched, worker, members } = await withFamily(t);
  const child = watched.hold(await watched.ask<number>('fork'));
  watched.signal('SIGKILL');
  await untilGone('the tree', worker.handle, ...members);
  assert.ok(child.alive);
});

test('a forked child has no part in it, and takes nothing along when it ends', async (t) => {
  const watched = startCommand(t, SLEEP);
  const { pid, handle } = await watched.spawned();
  const child = watched.hold(await watched.ask<number>('forkBriefly'));
  assert.deepEqual(await watched.next('child'), { supervisor: null, listeners: 0 });
  await untilGone('the child', child);
  assert.equal((await watched.status()).workers[0]?.pid, pid);
  assert.ok(handle.alive);
});

test('a process with a blocked event loop has its worker replaced all the same', async (t) => {
  const watched = startCommand(t, SLEEP);
  const { handle, guard } = await watched.spawned();
  const supervisor = (await watched.status()).supervisorPid as number;
  watched.tell('block');
  handle.signal('SIGKILL');
  const next = await until('another guard', () => childrenOf(supervisor).find((pid) => pid !== guard));
  const worker = await until('another worker', () => childrenOf(next)[0]);
  watched.hold(worker);
});

test('SIGKILL of the worker takes all that it has started before the next one runs', async (t) => {
  const { watched, worker, members } = await withFamily(t);
  worker.handle.signal('SIGKILL');
  assert.equal((await watched.exit()).leftProcesses, FAMILY.length);
  await watched.spawned();
  assert.deepEqual(
    members.filter(({ alive }) => alive),
    [],
  );
});

test('killTree: false lets live what a worker has started', async (t) => {
  const script = 'setsid sh -c "echo \\$\\$; exec sleep 1000" & wait';
  const watched = startCommand(t, { ...shell(script), killTree: false, restart: 'never', signals: false });
  assert.equal((await watched.status()).guarantee, 'pdeathsig');
  const { handle } = await watched.spawned();
  const member = watched.hold(Number(await watched.next('line')));
  handle.signal('SIGKILL');
  await watched.next('stopped');
  assert.ok(member.alive);
});

test('killTree: false: the worker itself dies with the process', async (t) => {
  const watched = startCommand(t, { ...SLEEP, killTree: false });
  const { handle } = await watched.spawned();
  watched.signal('SIGKILL');
  await untilGone('the worker', handle);
});

test('SIGKILL of the guard takes the worker and its tree; another one takes their place', async (t) => {
  const { watched, worker, members } = await withFamily(t);
  watched.hold(worker.guard).signal('SIGKILL');
  assert.equal((await watched.exit()).signal, 'SIGKILL');
  await watched.spawned();
  assert.deepEqual(
    [worker.handle, ...members].filter(({ alive }) => alive),
    [],
  );
});

test('SIGKILL of the supervisor takes the workers and their trees before the next supervisor starts others', async (t) => {
  const { watched, worker, members } = await withFamily(t);
  const { supervisorPid = 0 } = await watched.status();
  watched.hold(supervisorPid).signal('SIGKILL');
  const { pid, signal, reason, restartsInMs } = await watched.next<CommandExit>('exit');
  assert.deepEqual(
    { pid, signal, reason, restartsInMs },
    {
      pid: worker.pid,
      signal: 'SIGKILL',
      reason: 'supervisor',
      restartsInMs: 0,
    },
  );
  assert.deepEqual(
    [worker.handle, ...members].filter(({ alive }) => alive),
    [],
  );
  await watched.spawned();
  assert.notEqual((await watched.status()).supervisorPid, supervisorPid);
});

test('SIGKILL of the supervisor and a guard at once takes the worker before another one starts', async (t) => {
  const watched = startCommand(t, SLEEP);
  const { handle, guard } = await watched.spawned();
  const supervisor = watched.hold((await watched.status()).supervisorPid as number);
  const held = watched.hold(guard);
  supervisor.signal('SIGSTOP');
  held.signal('SIGKILL');
  supervisor.signal('SIGKILL');
  await watched.exit();
  assert.ok(!handle.alive);
  await watched.next('restart');
});

test('in a cgroup that takes what the worker has started, too; the group doesn’t stay', async (t) => {
  const parent = usableCgroup();
  if (parent === undefined) return t.skip('no cgroup can be made here');
  const go = join(temporaryDirectory(t), 'go');
  const watched = startCommand(t, {
    ...shell('while ! [ -e "$0" ]; do sleep 0.01; done; setsid sh -c "echo \\$\\$; exec sleep 1000" & wait'),
    args: [go],
  });
  const worker = await watched.spawned();
  const group = keeperCgroup(parent, worker.guard);
  // What the program starts before that is not in it.
  await until('it is in its group', () => readFileSync(`/proc/${worker.pid}/cgroup`, 'utf8').includes(basename(group)));
  writeFileSync(go, '');
  const member = watched.hold(Number(await watched.next('line')));
  const supervisor = watched.hold((await watched.status()).supervisorPid as number);
  supervisor.signal('SIGSTOP');
  watched.hold(worker.guard).signal('SIGKILL');
  supervisor.signal('SIGKILL');
  await untilGone('both', worker.handle, member);
  await watched.next('restart');
  await watched.ask('stop');
  assert.ok(!existsSync(group));
});

test('what comes to a process that adopts orphans is reaped', async (t) => {
  const { watched, members } = await withFamily(t);
  await watched.ask('adoptOrphans');
  watched.hold((await watched.status()).supervisorPid as number).signal('SIGKILL');
  await watched.next('restart');
  await untilGone('the tree', ...members);
  assert.deepEqual(zombiesOf(watched.pid), []);
});

test('a guard that is stopped after its supervisor was killed ends all before the next one starts', async (t) => {
  const script = 'trap "" TERM; setsid sh -c "echo \\$\\$; exec sleep 1000" & while :; do sleep 0.01; done';
  // Who can make cgroups ends all by these at last.
  const other = isRoot ? { ...asNobody, cwd: '/' } : {};
  const watched = startCommand(t, { ...shell(script), onParentDeath: 'terminate', stopTimeoutMs: 200 }, other);
  const { handle, guard } = await watched.spawned();
  const member = watched.hold(Number(await watched.next('line')));
  const { supervisorPid = 0 } = await watched.status();
  const held = watched.hold(guard);
  const supervisor = watched.hold(supervisorPid);
  supervisor.signal('SIGKILL');
  await untilGone('the supervisor', supervisor);
  held.signal('SIGSTOP');
  await watched.next('restart');
  assert.deepEqual([handle.alive, held.alive, member.alive], [false, false, false]);
});

test('supervisors that are killed again and again are not started without end', async (t) => {
  const watched = startCommand(t, { ...SLEEP, backoff: { initialMs: 1, maxMs: 1 }, maxRestarts: { count: 2 } });
  for (let i = 0; i < 3; i++) {
    await watched.spawned();
    watched.hold((await watched.status()).supervisorPid as number).signal('SIGKILL');
    assert.equal((await watched.exit()).restartsInMs, [0, 1, null][i]);
  }
  const { reason } = await watched.next<{ reason: string }>('giveUp');
  assert.equal(reason, 'the supervisor was killed by SIGKILL, after 2 restarts within 60000 ms');
  assert.equal((await watched.outcome).signal, 'SIGKILL');
});

test('with restart: never a supervisor that is killed is the end', async (t) => {
  const watched = startCommand(t, { ...SLEEP, restart: 'never' });
  await watched.spawned();
  watched.hold((await watched.status()).supervisorPid as number).signal('SIGKILL');
  assert.equal((await watched.exit()).restartsInMs, null);
  assert.equal((await watched.outcome).signal, 'SIGKILL');
});

const LAST_WORDS = 'trap "echo asked; exit 0" USR2; echo trapped; while :; do sleep 0.01; done';

test('onParentDeath: terminate asks the worker to end first', async (t) => {
  const options = { onParentDeath: 'terminate', stopSignal: 'SIGUSR2', stopTimeoutMs: 20_000 } as const;
  const watched = startCommand(t, { ...shell(LAST_WORDS), ...options });
  const { handle } = await watched.spawned();
  assert.equal(await watched.next('line'), 'trapped');
  watched.signal('SIGKILL');
  assert.match((await watched.outcome).stdout, /^asked$/m);
  await untilGone('the worker', handle);
});

test('onParentDeath: terminate kills what is left after stopTimeoutMs', async (t) => {
  const { watched, worker, members } = await withFamily(t, {
    ...shell(['trap "" TERM', ...FAMILY, 'wait'].join('\n')),
    onParentDeath: 'terminate',
    stopTimeoutMs: 50,
  });
  watched.signal('SIGKILL');
  await untilGone('the tree', worker.handle, ...members);
});
