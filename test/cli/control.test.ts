import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SELF, sandbox } from '../helpers/command.js';
import { hasEnded, nullSeparated } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';

interface State {
  name: string;
  state: string;
  pid?: number;
  uptimeMs?: number;
  rss?: number;
  pss?: number;
  command?: string[];
  stdout?: string;
  end?: { exitCode?: number; signal?: string; asked: boolean };
  error?: { code: string };
}

const STUBBORN = `process.on('SIGTERM', () => {}); console.log('deaf'); setInterval(() => {}, 1000);`;

function keeperOf(pid: number): number {
  return Number(procStatus(pid, 'PPid'));
}

test('status of a running daemon: 0, with its pid, memory, command and log', async (t) => {
  const { start, json, run, home } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const { daemons } = await json<{ daemons: [State] }>(['status', 'sleep']);
  const [{ rss = 0, pss = 0, uptimeMs = -1, ...daemon }] = daemons;
  assert.deepEqual([daemon.state, daemon.pid, daemon.command], ['running', pid, ['sleep', '1000']]);
  assert.equal(daemon.stdout, join(home, 'sleep.log'));
  assert.ok(rss > pss && pss > 0 && uptimeMs >= 0 && uptimeMs < 60_000);
  const { code, stdout } = await run(['state', 'sleep']);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^sleep: running for .*\\n +pid: +${pid}, kept by ${keeperOf(pid)}\\n`));
});

test('status of one that was stopped, of one that ended well and of an unknown one: 3', async (t) => {
  const { start, ok, run, home } = sandbox(t);
  await start(['--', 'sleep', '1000']);
  await ok(['stop', 'sleep']);
  assert.equal((await run(['status', 'sleep'])).code, 3);
  await start(['--name', 'short', '--', 'sleep', '0.01']);
  await until('it ends', () => !existsSync(join(home, 'short.pid')));
  const { code, stdout } = await run(['status', 'short']);
  assert.equal(code, 3);
  assert.match(stdout, /^short: not running: exited with code 0/);
  assert.equal((await run(['status', 'nonesuch'])).code, 3);
});

test('status of one that crashed: 1, and how it died', async (t) => {
  const { start, json, run } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const keeper = keeperOf(pid);
  process.kill(pid, 'SIGSEGV');
  await until('it ends', () => hasEnded(keeper));
  const { daemons } = await json<{ daemons: [State] }>(['status', 'sleep']);
  assert.deepEqual([daemons[0].state, daemons[0].end?.signal, daemons[0].end?.asked], ['dead', 'SIGSEGV', false]);
  assert.equal((await run(['status', 'sleep'])).code, 1);
});

test('status of one whose keeper was killed: 1', async (t) => {
  const { start, run } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const keeper = keeperOf(pid);
  process.kill(keeper, 'SIGKILL');
  await until('both end', () => hasEnded(keeper) && hasEnded(pid));
  const { code, stdout } = await run(['status', 'sleep']);
  assert.equal(code, 1);
  assert.match(stdout, /^sleep: dead: it was killed together with its keeper/);
});

test('status of what can’t be found out: 4, not "not running"', async (t) => {
  const { run, home, write } = sandbox(t);
  mkdirSync(home, { mode: 0o700 });
  mkdirSync(join(home, 'odd.pid'));
  const { code, stdout } = await run(['status', 'odd', '--json']);
  assert.equal(code, 4);
  assert.equal((JSON.parse(stdout).daemons[0] as State).error?.code, 'ERR_PID_FILE_UNSAFE');
  write('file', '');
  assert.equal((await run(['status', 'odd'], { env: { POSIX_DAEMON_HOME: 'file' } })).code, 4);
  assert.equal((await run(['status', '--nonesuch'])).code, 4);
});

test('of several daemons the worst gives the exit code', async (t) => {
  const { start, run } = sandbox(t);
  await start(['--', 'sleep', '1000']);
  assert.equal((await run(['status', 'sleep', 'other'])).code, 3);
});

test('stop ends the program and waits for it, and removes the pid file', async (t) => {
  const { start, run, home } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const keeper = keeperOf(pid);
  const { code, stdout } = await run(['stop', 'sleep']);
  assert.equal(code, 0);
  assert.match(stdout, /^sleep: stopped by SIGTERM after \d+ ms\n$/);
  assert.ok(hasEnded(pid) && hasEnded(keeper));
  assert.ok(!existsSync(join(home, 'sleep.pid')));
});

test('stop kills a program that doesn’t end in time, and says so', async (t) => {
  const { start, json, write, home, ok } = sandbox(t);
  write('deaf.js', STUBBORN);
  const pid = await start(['deaf.js']);
  await until('it is deaf', () => readFileSync(join(home, 'deaf.log'), 'utf8').includes('deaf'));
  const { daemons } = await json<{ daemons: [{ signal: string }] }>(['stop', 'deaf', '--timeout', '50']);
  assert.equal(daemons[0].signal, 'SIGKILL');
  assert.ok(hasEnded(pid));
  assert.ok(!existsSync(join(home, 'deaf.pid')));
  assert.match((await ok(['list'])).split('\n')[1] as string, /^deaf +stopped/);
});

test('stop kills a program whose keeper is stopped', async (t) => {
  const { start, json } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  process.kill(keeperOf(pid), 'SIGSTOP');
  const { daemons } = await json<{ daemons: [{ signal: string }] }>(['stop', 'sleep', '--timeout', '50']);
  assert.equal(daemons[0].signal, 'SIGKILL');
  assert.ok(hasEnded(pid));
});

test('--stop-signal of start is what stop sends; --signal of stop is sent instead', async (t) => {
  const { start, write, home, ok } = sandbox(t);
  write(
    'app.js',
    `for (const s of ['SIGUSR2', 'SIGINT']) process.on(s, () => { console.log(s); process.exit(0); });
    console.log('up'); setInterval(() => {}, 1000);`,
  );
  for (const [args, signal] of [
    [[], 'SIGINT'],
    [['--signal', 'usr2'], 'SIGUSR2'],
  ] as const) {
    rmSync(join(home, 'app.log'), { force: true });
    await start(['--stop-signal', 'INT', 'app.js']);
    await until('it is up', () => readFileSync(join(home, 'app.log'), 'utf8').includes('up'));
    await ok(['stop', 'app', ...args]);
    assert.equal(readFileSync(join(home, 'app.log'), 'utf8'), `up\n${signal}\n`);
    assert.ok(!existsSync(join(home, 'app.pid')));
  }
});

test('stopping what doesn’t run is no error, and clears what a dead daemon left', async (t) => {
  const { start, run, home } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const keeper = keeperOf(pid);
  process.kill(pid, 'SIGKILL');
  await until('it ends', () => hasEnded(keeper));
  assert.ok(existsSync(join(home, 'sleep.pid')));
  const { code, stdout } = await run(['stop', 'sleep']);
  assert.deepEqual([code, stdout], [0, 'sleep: not running\n']);
  assert.ok(!existsSync(join(home, 'sleep.pid')));
  assert.equal((await run(['stop', 'slepe'])).stdout, "slepe: not running. Did you mean 'sleep'?\n");
});

test('stop never signals a process that merely has the pid which a dead daemon left', async (t) => {
  const { begin, ok, home, start } = sandbox(t);
  const bystander = begin([], { via: ['sh', '-c', 'exec sleep 1000'] });
  await start(['--', 'sleep', '1000']);
  await ok(['stop', 'sleep']);
  writeFileSync(join(home, 'sleep.pid'), `${bystander.pid}\n`);
  writeFileSync(join(home, 'sleep.status'), `state running\npid ${bystander.pid}\n`);
  await ok(['stop', 'sleep']);
  assert.ok(!hasEnded(bystander.pid));
});

test('--forget removes all but the log', async (t) => {
  const { start, ok, home } = sandbox(t);
  await start(['--', 'sleep', '1000']);
  await ok(['stop', '--forget', 'sleep']);
  assert.deepEqual(readdirSync(home), ['sleep.log']);
});

test('restart does what start did: command, directory, environment, umask, from wherever it is called', async (t) => {
  const { start, ok, write, home, folder } = sandbox(t);
  write('app.js', SELF);
  const first = await start(['--env', 'A=1', '--umask', '027', 'app.js', 'x y'], { env: { B: '2' } });
  const log = join(home, 'app.log');
  const lines = () => readFileSync(log, 'utf8').split('\n').filter(Boolean);
  await until('it has spoken', () => lines().length === 1);
  const elsewhere = { cwd: '/', env: { B: '3', C: '4', PATH: '/bin' }, via: ['sh', '-c', 'umask 0; exec "$@"', 'sh'] };
  const printed = await ok(['restart', 'app'], elsewhere);
  await until('it has spoken again', () => lines().length === 2);
  const [before, after] = lines().map((line) => JSON.parse(line));
  assert.equal(printed, `app: restarted, pid ${after.pid}\n`);
  assert.equal(before.pid, first);
  assert.deepEqual({ ...after, pid: 0 }, { ...before, pid: 0 });
  assert.deepEqual([after.cwd, after.argv, after.umask], [realpathSync(folder), ['x y'], 0o027]);
  assert.ok(hasEnded(first));
});

test('restart starts again only when the old program has gone', async (t) => {
  const { start, write, ok, home } = sandbox(t);
  // Whoever is second while the first is there says so.
  write(
    'app.cjs',
    `const fs = require('node:fs');
    try { fs.mkdirSync('lock'); } catch { console.log('overlap'); }
    process.on('SIGTERM', () => setTimeout(() => { fs.rmdirSync('lock'); process.exit(0); }, 100));
    console.log('up'); setInterval(() => {}, 1000);`,
  );
  await start(['app.cjs']);
  const log = () => readFileSync(join(home, 'app.log'), 'utf8');
  await until('it is up', () => log() === 'up\n');
  await ok(['restart', 'app']);
  await until('it is up again', () => log().startsWith('up\nup\n'));
});

test('restart starts one that has crashed, or was stopped', async (t) => {
  const { start, ok } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const keeper = keeperOf(pid);
  process.kill(pid, 'SIGKILL');
  await until('it ends', () => hasEnded(keeper));
  assert.match(await ok(['restart', 'sleep']), /^sleep: started, pid \d+\n$/);
  await ok(['stop', 'sleep']);
  assert.match(await ok(['restart', 'sleep']), /^sleep: started, pid \d+\n$/);
});

test('a restart that fails keeps what is needed for the next, and one that can’t work leaves the old one running', async (t) => {
  const { start, run, ok, write } = sandbox(t);
  const tool = write('tool', '#!/bin/sh\nexec sleep 1000\n', 0o755);
  const pid = await start(['--up-ms', '20', '--', './tool']);
  rmSync(tool);
  assert.equal((await run(['restart', 'tool'])).code, 1);
  assert.ok(!hasEnded(pid));
  write('tool', '#!/bin/sh\nexit 3\n', 0o755);
  assert.match((await run(['restart', 'tool'])).stderr, /exited with code 3 within 20 ms/);
  write('tool', '#!/bin/sh\nexec sleep 1000\n', 0o755);
  assert.match(await ok(['restart', 'tool']), /^tool: started, pid/);
});

test('restart of an unknown name is an error that names the nearest', async (t) => {
  const { start, run } = sandbox(t);
  await start(['--', 'sleep', '1000']);
  const { code, stderr } = await run(['restart', 'sleeep']);
  assert.equal(code, 1);
  assert.match(stderr, /sleeep: no daemon of this name is known. Did you mean 'sleep'\?/);
});

test('of several names each is carried out, though one fails', async (t) => {
  const { start, json } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const { daemons } = await json<{ daemons: { name: string; error?: { code: string } }[] }>([
    'restart',
    'nonesuch',
    'sleep',
  ]);
  assert.deepEqual(
    daemons.map(({ name, error }) => [name, error?.code]),
    [
      ['nonesuch', 'ERR_UNKNOWN_DAEMON'],
      ['sleep', undefined],
    ],
  );
  assert.ok(hasEnded(pid));
});

test('a record that was not yet put in its place when its starter was killed is that of the running daemon', async (t) => {
  const { start, ok, home } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const record = readFileSync(join(home, 'sleep.json'), 'utf8');
  writeFileSync(join(home, 'sleep.json.new'), record);
  writeFileSync(join(home, 'sleep.json'), record.replace('"1000"', '"1"'));
  const [, again] = /pid (\d+)/.exec(await ok(['restart', 'sleep'])) ?? [];
  assert.ok(hasEnded(pid));
  assert.deepEqual(nullSeparated(`/proc/${again}/cmdline`), ['sleep', '1000']);
});

test('list shows every daemon of the user', async (t) => {
  const { start, ok, json } = sandbox(t);
  assert.equal(await ok(['list']), 'NAME  STATE  PID  UPTIME  RESTARTS  COMMAND\n');
  const pid = await start(['--', 'sleep', '1000']);
  await start(['--name', 'b', '--', 'sleep', '1001']);
  await ok(['stop', 'b']);
  const [head, b, sleep] = (await ok(['list'])).split('\n') as [string, string, string];
  assert.match(head, /^NAME +STATE +PID +UPTIME +RESTARTS +COMMAND$/);
  assert.match(b, /^b +stopped +- +- +- +sleep 1001$/);
  assert.match(sleep, new RegExp(`^sleep +running +${pid} +\\d+ m?s +- +sleep 1000$`));
  const { daemons } = await json<{ daemons: State[] }>(['list']);
  assert.deepEqual(
    daemons.map(({ name, state }) => [name, state]),
    [
      ['b', 'stopped'],
      ['sleep', 'running'],
    ],
  );
  assert.equal(await ok(['list', '--names']), 'b\nsleep\n');
});
