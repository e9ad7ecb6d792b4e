import assert from 'node:assert/strict';
import { chmodSync, chownSync, linkSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findDaemon, type RunningDaemon } from 'posix-daemon';
import { hasEnded, needsRoot, temporaryDirectory } from '../helpers/exec.js';
import { fixturePath, startFixture, startProgram, until } from '../helpers/fixture.js';
import { inPidNamespace, namespaceRefused } from '../helpers/namespace.js';
import { scenario } from '../helpers/scenario.js';
import { as, HONEST, HOSTILE, lockToRead } from '../helpers/strangers.js';

const NOT_SEEN = { code: 'ERR_DAEMON_UNKNOWN' };

function pathFor(t: TestContext): string {
  const folder = temporaryDirectory(t);
  chmodSync(folder, 0o755);
  return join(folder, 'x.pid');
}

async function hold(t: TestContext, path: string, how = 'hold', args: string[] = [], user = {}) {
  const holder = startFixture(t, 'pid-file', [how, path, ...args], user);
  await holder.line();
  return holder;
}

async function found(t: TestContext, how?: string): Promise<{ daemon: RunningDaemon; path: string; pid: number }> {
  const path = pathFor(t);
  const { pid } = await hold(t, path, how);
  const daemon = findDaemon(path);
  assert.ok(daemon);
  t.after(() => daemon.close());
  return { daemon, path, pid };
}

test('it has the pid of the daemon and the time of its start', async (t) => {
  const before = Date.now();
  const { daemon, pid } = await found(t);
  assert.equal(daemon.pid, pid);
  // The kernel counts hundredths of a second.
  assert.ok(+daemon.startedAt >= before - 100 && +daemon.startedAt <= Date.now() + 100, String(daemon.startedAt));
});

test('stop tells that the daemon ended by the signal', async (t) => {
  const { daemon, path } = await found(t, 'endingAtTerm');
  assert.deepEqual(await daemon.stop(), { signal: 'SIGTERM' });
  assert.equal(findDaemon(path), null);
});

test('stop sends the signal of one’s choice', async (t) => {
  const { daemon } = await found(t, 'ignoringTerm');
  assert.deepEqual(await daemon.stop({ signal: 'SIGINT' }), { signal: 'SIGINT' });
});

test('stop kills a daemon that ignores the signal, and tells so', async (t) => {
  const { daemon } = await found(t, 'ignoringTerm');
  assert.deepEqual(await daemon.stop({ killAfterMs: 50 }), { signal: 'SIGKILL' });
});

test('stop kills at once with killAfterMs 0', async (t) => {
  const { daemon } = await found(t, 'ignoringTerm');
  assert.deepEqual(await daemon.stop({ killAfterMs: 0 }), { signal: 'SIGKILL' });
});

test('stop kills a daemon that is stopped', async (t) => {
  const { daemon, pid } = await found(t);
  process.kill(pid, 'SIGSTOP');
  assert.deepEqual(await daemon.stop({ killAfterMs: 50 }), { signal: 'SIGKILL' });
});

for (const killAfterMs of [20, 50, Infinity]) {
  test(`stop gives up after timeoutMs with ETIMEDOUT, and kills nobody before killAfterMs ${killAfterMs}`, async (t) => {
    const { daemon, pid } = await found(t, 'ignoringTerm');
    await assert.rejects(daemon.stop({ killAfterMs, timeoutMs: 20 }), {
      code: 'ETIMEDOUT',
      message: new RegExp(`${pid}`),
    });
    daemon.signal(0);
  });
}

test('stop of a daemon that has ended by itself needs no signal', async (t) => {
  const path = pathFor(t);
  const { child, outcome } = await hold(t, path);
  using daemon = findDaemon(path) as RunningDaemon;
  child.stdin?.end();
  await outcome;
  assert.deepEqual(await daemon.stop(), { signal: null });
  assert.throws(() => daemon.signal('SIGTERM'), { code: 'ESRCH' });
  await daemon.wait();
});

test('after a stop that timed out nothing keeps the process', async (t) => {
  const path = pathFor(t);
  await hold(t, path, 'ignoringTerm');
  assert.equal(await scenario(t, 'find-daemon', ['stop', path, '{"timeoutMs":10}']), 'ETIMEDOUT');
});

test('stop leaves no timer behind that keeps the process', async (t) => {
  const path = pathFor(t);
  await hold(t, path, 'endingAtTerm');
  assert.deepEqual(await scenario(t, 'find-daemon', ['stop', path, '{"killAfterMs":600000,"timeoutMs":600000}']), {
    signal: 'SIGTERM',
  });
});

test('wait keeps the process until the daemon has ended', async (t) => {
  const path = pathFor(t);
  const { child } = await hold(t, path);
  const waiting = startFixture(t, 'find-daemon', ['wait', path]);
  assert.equal(await waiting.line(), 'waiting');
  child.stdin?.end();
  assert.equal(await waiting.line(), '"ended"');
});

test('close ends a wait with ABORT_ERR', async (t) => {
  const { daemon } = await found(t);
  const waiting = daemon.wait();
  daemon.close();
  await assert.rejects(waiting, { code: 'ABORT_ERR' });
});

for (const [options, name] of [
  [{ killAfterMs: -1 }, 'killAfterMs'],
  [{ timeoutMs: Number.NaN }, 'timeoutMs'],
  [{ signal: 'SIGNOPE' }, 'SIGNOPE'],
  [{ killAfter: 1 }, 'killAfter'],
] as const) {
  test(`stop refuses ${JSON.stringify(options)} before it sends anything`, async (t) => {
    const { daemon } = await found(t);
    await assert.rejects(daemon.stop(options as never), { code: /^ERR_/, message: new RegExp(name) });
    daemon.signal(0);
  });
}

test('no file is null', (t) => {
  assert.equal(findDaemon(pathFor(t)), null);
});

for (const [what, content] of [
  ['a dead process', '4194304\n'],
  ['a live one', `${process.pid}\n`],
  ['nobody', ''],
] as const) {
  test(`a stale file that names ${what} is null`, (t) => {
    const path = pathFor(t);
    writeFileSync(path, content);
    assert.equal(findDaemon(path), null);
  });
}

test('a killed daemon is null, and so is a zombie', async (t) => {
  const path = pathFor(t);
  // The shell waits for nobody. A FIFO that is open for writing, too, has no end; what a shell gives its background is /dev/null.
  const script = 'mkfifo "$0"; "$@" <>"$0" & read line; kill -KILL $!; read line';
  const shell = startFixture(t, 'pid-file', ['hold', path], {
    execPath: 'sh',
    execArgv: ['-c', script, `${path}.fifo`, process.execPath],
  });
  await shell.line();
  const pid = findDaemon(path)?.pid as number;
  t.after(() => until('the daemon is gone', () => !findDaemon(path)));
  shell.child.stdin?.write('\n');
  await until('it is a zombie', () => hasEnded(pid));
  // Its main thread is one before the others have ended and closed the files.
  await until('it is no daemon any more', () => findDaemon(path) === null);
});

test('a lock whose holder has written no number is no "not running"', async (t) => {
  const path = pathFor(t);
  await hold(t, path, 'lockOnly');
  assert.throws(() => findDaemon(path), { ...NOT_SEEN, path });
});

test('a number that is not the holder’s is never taken for the daemon', async (t) => {
  const path = pathFor(t);
  const bystander = startProgram(t, 'cat', []);
  await hold(t, path, 'lockOnly', [`${bystander.pid}\n`]);
  assert.throws(() => findDaemon(path), NOT_SEEN);
});

test('the number of a thread is never taken for the daemon', async (t) => {
  const path = pathFor(t);
  const { pid } = await hold(t, path);
  const tid = readdirSync(`/proc/${pid}/task`).find((name) => name !== String(pid));
  writeFileSync(path, `${tid}\n`);
  assert.throws(() => findDaemon(path), NOT_SEEN);
  writeFileSync(path, `${pid}\n`);
  assert.equal(findDaemon(path)?.pid, pid);
});

test('a stranger’s read lock is no daemon', async (t) => {
  const path = pathFor(t);
  writeFileSync(path, `${process.pid}\n`);
  await lockToRead(t, 'ofd', path);
  assert.equal(findDaemon(path), null);
});

test('a link is refused', async (t) => {
  const { path } = await found(t);
  symlinkSync(path, `${path}.link`);
  assert.throws(() => findDaemon(`${path}.link`), { code: 'ERR_PID_FILE_UNSAFE' });
});

test('a second name of another daemon’s file is refused', async (t) => {
  const { path } = await found(t);
  linkSync(path, `${path}.second`);
  assert.throws(() => findDaemon(`${path}.second`), { code: 'ERR_PID_FILE_UNSAFE' });
});

test('a file that others can lock is refused while it is locked', async (t) => {
  const { path } = await found(t);
  chmodSync(path, 0o666);
  assert.throws(() => findDaemon(path), { code: 'ERR_PID_FILE_UNSAFE' });
});

test('a file moved in the place of another one tells of its own holder', async (t) => {
  const { path, pid } = await found(t);
  const other = pathFor(t);
  await hold(t, other);
  renameSync(path, other);
  assert.equal(findDaemon(other)?.pid, pid);
});

test('what cannot be read is EACCES, not "not running"', needsRoot, async (t) => {
  const { path } = await found(t);
  chmodSync(path, 0o600);
  assert.equal(await scenario(t, 'find-daemon', ['stop', path], as(HOSTILE)), 'EACCES');
});

test('another user finds a daemon, and may not stop it: EPERM', needsRoot, async (t) => {
  const { path, pid, daemon } = await found(t);
  assert.equal(await scenario(t, 'find-daemon', ['find', path], as(HOSTILE)), pid);
  assert.equal(await scenario(t, 'find-daemon', ['stop', path], as(HOSTILE)), 'EPERM');
  daemon.signal(0);
});

test('a file of another user that names a process of somebody else is refused', needsRoot, async (t) => {
  const path = pathFor(t);
  chownSync(join(path, '..'), HOSTILE, HOSTILE);
  const victim = startProgram(t, 'cat', [], as(HONEST));
  await hold(t, path, 'lockOnly', [`${victim.pid}\n`], as(HOSTILE));
  assert.throws(() => findDaemon(path), { code: 'ERR_PID_FILE_UNSAFE', message: /2002/ });
});

test('a daemon whose file was given to another user is refused', needsRoot, async (t) => {
  const path = pathFor(t);
  await hold(t, path, 'givenAway', [`${HOSTILE}`]);
  assert.throws(() => findDaemon(path), { code: 'ERR_PID_FILE_UNSAFE' });
});

test('a daemon of an ordinary user is found by root, and by the same user', needsRoot, async (t) => {
  const path = pathFor(t);
  chownSync(join(path, '..'), HONEST, HONEST);
  const { pid } = await hold(t, path, 'hold', [], as(HONEST));
  assert.equal(findDaemon(path)?.pid, pid);
  assert.equal(await scenario(t, 'find-daemon', ['find', path], as(HONEST)), pid);
});

for (const [what, how] of [
  ['gave up root’s rights', 'dropped'],
  ['others may not look at', 'undumpable'],
] as const) {
  test(`a daemon that ${what} is found by its user and by root`, needsRoot, async (t) => {
    const path = pathFor(t);
    const user = how === 'dropped' ? {} : as(HONEST);
    chownSync(join(path, '..'), HONEST, HONEST);
    const { pid } = await hold(t, path, how, [`${HONEST}`], user);
    assert.equal(findDaemon(path)?.pid, pid);
    assert.equal(await scenario(t, 'find-daemon', ['find', path], as(HONEST)), pid);
    assert.deepEqual(await scenario(t, 'find-daemon', ['stop', path], as(HONEST)), { signal: 'SIGTERM' });
  });
}

test('whoever got the pid of a daemon is never signalled', needsRoot, async (t) => {
  const refused = namespaceRefused();
  if (refused) return t.skip(refused);
  const command = [process.execPath, fixturePath('find-daemon'), 'recycled', pathFor(t)];
  const { stdout, stderr } = await inPidNamespace(t, command);
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), {
    samePid: true,
    stopped: { signal: null },
    signalled: 'ESRCH',
    left: null,
    starting: 'ERR_DAEMON_UNKNOWN',
    unharmed: true,
  });
});
