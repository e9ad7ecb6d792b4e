// How a Watchdog's command is run.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, realpathSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { usableCgroup } from '#dist/watchdog/cgroup.js';
import { NO_PAUSE, SLEEP, shell, startCommand } from '../helpers/command-watchdog.js';
import { descriptorsOf, needsRoot, nullSeparated, stat, temporaryDirectory } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';
import { titleOf } from '../helpers/watchdog.js';

test('a command is run by its name, with its arguments, and told of by events', async (t) => {
  const watched = startCommand(t, { command: 'sleep', args: ['1000'] });
  const { worker, pid } = await watched.spawned();
  assert.deepEqual(await watched.next('ready'), { worker, pid });
  assert.equal(worker, 1);
  assert.deepEqual(nullSeparated(`/proc/${pid}/cmdline`), ['sleep', '1000']);
  assert.ok(!nullSeparated(`/proc/${pid}/environ`).some((variable) => variable.startsWith('WORKER_INDEX=')));
});

test('directory, environment, umask, nice and limits are the options’', async (t) => {
  const folder = temporaryDirectory(t);
  const watched = startCommand(t, {
    ...SLEEP,
    cwd: folder,
    env: { PATH: process.env.PATH, A: '1' },
    umask: 0o027,
    nice: 5,
    rlimits: { nofile: { soft: 64, hard: 128 }, core: 0 },
  });
  const { pid } = await watched.spawned();
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), realpathSync(folder));
  assert.deepEqual(nullSeparated(`/proc/${pid}/environ`), [`PATH=${process.env.PATH}`, 'A=1']);
  assert.equal(procStatus(pid, 'Umask'), '0027');
  assert.equal(stat(pid, 19), '5');
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max open files +64 +128 /m);
});

test('by default directory, environment and umask are the caller’s, and no descriptor but three is open', async (t) => {
  const folder = temporaryDirectory(t);
  const watched = startCommand(t, SLEEP, { cwd: folder, env: { ...process.env, MINE: '1' } });
  const { pid } = await watched.spawned();
  await watched.next('ready');
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), realpathSync(folder));
  assert.ok(nullSeparated(`/proc/${pid}/environ`).includes('MINE=1'));
  assert.deepEqual(Object.keys(descriptorsOf(pid)), ['0', '1', '2']);
  assert.equal(readlinkSync(`/proc/${pid}/fd/0`), '/dev/null');
});

test('a user comes with its groups and its HOME', needsRoot, async (t) => {
  const { pid } = await startCommand(t, { ...SLEEP, user: 'nobody', cwd: '/' }).spawned();
  assert.deepEqual(procStatus(pid, 'Uid')?.split('\t'), ['65534', '65534', '65534', '65534']);
  assert.equal(procStatus(pid, 'Groups'), '65534');
  assert.ok(nullSeparated(`/proc/${pid}/environ`).includes('LOGNAME=nobody'));
});

test('each of several workers has its number', async (t) => {
  const watched = startCommand(t, { ...SLEEP, workers: 3 });
  const workers = [await watched.spawned(), await watched.spawned(), await watched.spawned()];
  for (const { worker, pid } of workers) {
    assert.ok(nullSeparated(`/proc/${pid}/environ`).includes(`WORKER_INDEX=${worker}`));
  }
  assert.deepEqual(workers.map(({ worker }) => worker).sort(), [1, 2, 3]);
});

test('the title is what ps shows of supervisor and guards', async (t) => {
  const watched = startCommand(t, { ...SLEEP, title: 'mail' });
  const { guard } = await watched.spawned();
  const { supervisorPid } = await watched.status();
  assert.equal(titleOf(supervisorPid as number), 'posix-daemon: mail');
  assert.match(titleOf(guard), /^posix-daemon: mail \(keeper 1\)/);
});

test('output is inherited by default', async (t) => {
  const watched = startCommand(t, { ...shell('echo out; echo err >&2'), restart: 'never' });
  const { stdout, stderr, code } = await watched.outcome;
  assert.match(stdout, /^out$/m);
  assert.equal(stderr, 'err\n');
  assert.equal(code, 0);
});

test('output goes to a descriptor, or nowhere', async (t) => {
  const script = shell('echo out; echo err >&2');
  const watched = startCommand(t, { ...script, restart: 'never', stdout: 2, stderr: 'null' });
  const { stdout, stderr } = await watched.outcome;
  assert.doesNotMatch(stdout, /^(out|err)$/m);
  assert.equal(stderr, 'out\n');
});

test('output goes to a log that both streams share, over restarts and rotation', async (t) => {
  const folder = temporaryDirectory(t);
  const log = join(folder, 'log');
  const watched = startCommand(t, {
    ...shell('echo out; echo err >&2; exec sleep 1000'),
    stdout: { path: log, maxBytes: 20, backups: 2 },
    stderr: { path: log, maxBytes: 20, backups: 2 },
  });
  const files = () => readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  for (let i = 1; i <= 3; i++) {
    const { handle } = await watched.spawned();
    await until('it has spoken', () => files().join('').length === 8 * i);
    handle.signal('SIGKILL');
  }
  assert.deepEqual(readdirSync(folder).sort(), ['log', 'log.1']);
  assert.equal(statSync(log).mode & 0o777, 0o640);
});

test('reopenLogs() and SIGHUP open the log anew', async (t) => {
  const folder = temporaryDirectory(t);
  const log = join(folder, 'log');
  const watched = startCommand(t, { ...SLEEP, stdout: log });
  await watched.next('ready');
  for (const reopen of [() => watched.tell('reopenLogs'), () => watched.signal('SIGHUP')]) {
    renameSync(log, `${log}.old`);
    reopen();
    await until('the log is there again', () => readdirSync(folder).includes('log'));
  }
});

test('standard input can be a file', async (t) => {
  const folder = temporaryDirectory(t);
  writeFileSync(join(folder, 'input'), 'from the file\n');
  const watched = startCommand(t, { command: 'cat', stdin: join(folder, 'input'), restart: 'never' });
  assert.match((await watched.outcome).stdout, /^from the file$/m);
});

test('status() tells what runs, and how it went', async (t) => {
  const watched = startCommand(t, { ...SLEEP, workers: 2, backoff: NO_PAUSE });
  const first = await watched.spawned();
  await watched.spawned();
  first.handle.signal('SIGKILL');
  const next = await watched.next<{ pid: number }>('restart');
  await watched.next('ready');
  const { workers, guarantee, supervisorPid } = await watched.status();
  assert.equal(guarantee, usableCgroup() === undefined ? 'subreaper' : 'cgroup');
  assert.equal(Number(procStatus(supervisorPid as number, 'PPid')), watched.pid);
  const {
    startedAt = 0,
    uptimeMs = -1,
    rssBytes = 0,
    lastExit,
    ...rest
  } = workers.find(({ index }) => index === first.worker) as (typeof workers)[0];
  assert.deepEqual({ pid: rest.pid, restarts: rest.restarts }, { pid: next.pid, restarts: 1 });
  assert.equal(lastExit?.signal, 'SIGKILL');
  assert.ok(Math.abs(Date.now() - startedAt) < 60_000 && uptimeMs >= 0 && rssBytes > 0);
  assert.equal(workers.length, 2);
});

test('a Watchdog that is unreferenced doesn’t keep its process, and ends with it', async (t) => {
  const watched = startCommand(t, SLEEP);
  const { handle } = await watched.spawned();
  await watched.ask('unref');
  assert.equal((await watched.outcome).code, 0);
  await until('the worker is gone', () => !handle.alive);
});
