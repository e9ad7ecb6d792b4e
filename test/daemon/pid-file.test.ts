import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type AlreadyRunningError, PidFile } from 'posix-daemon';
import { startTime } from '#dist/posix/start-time.js';
import { needsRoot, temporaryDirectory } from '../helpers/exec.js';
import { runFixture, startFixture, until } from '../helpers/fixture.js';
import { kill } from '../helpers/processes.js';
import { straceRefused } from '../helpers/strace.js';
import { as, HONEST, HOSTILE, lockKinds, lockOnAndOff, lockToRead } from '../helpers/strangers.js';

const FIXTURE = 'pid-file';
const needsStrace = { skip: straceRefused() };
const OWN = `${process.pid}\n`;

function pathFor(t: TestContext): string {
  return join(temporaryDirectory(t), 'x.pid');
}

/** Held until the test ends, at the latest. */
function acquire(t: TestContext, path: string, options?: { mode?: number }): PidFile {
  const pidFile = PidFile.acquire(path, options);
  t.after(() => pidFile.release());
  return pidFile;
}

async function hold(t: TestContext, path: string, how = 'hold', ...args: string[]) {
  const holder = startFixture(t, FIXTURE, [how, path, ...args]);
  const lines = [await holder.line()];
  while (!lines.at(-1)?.startsWith('held by')) lines.push(await holder.line());
  return { ...holder, lines };
}

test('it has the pid and a newline in it, and nothing else', (t) => {
  const path = pathFor(t);
  acquire(t, path);
  assert.equal(readFileSync(path, 'utf8'), OWN);
});

for (const mask of [0, 0o22, 0o777]) {
  test(`its mode is 0644 with the umask 0${mask.toString(8)}`, (t) => {
    const path = pathFor(t);
    const before = process.umask(mask);
    try {
      acquire(t, path);
    } finally {
      process.umask(before);
    }
    assert.equal(statSync(path).mode & 0o7777, 0o644);
  });
}

test('a file that is there gets the mode', (t) => {
  const path = pathFor(t);
  writeFileSync(path, '', { mode: 0o666 });
  acquire(t, path, { mode: 0o600 });
  assert.equal(statSync(path).mode & 0o7777, 0o600);
});

for (const mode of [0o666, 0o664, 0o444, 0o200, 0]) {
  test(`the mode 0${mode.toString(8)} is refused: others could lock it, or its owner not open it`, (t) => {
    assert.throws(() => acquire(t, pathFor(t), { mode }), { code: 'ERR_INVALID_ARG_VALUE', message: /options\.mode/ });
  });
}

for (const [what, content] of [
  ['empty', ''],
  ['of another one, longer', '4194304\n'],
  ['garbage', '\0\xff not a number \n\n'],
  ['a number without an end', '1'],
  ['long', 'x'.repeat(100_000)],
] as const) {
  test(`a file that is left and ${what} blocks no start`, (t) => {
    const path = pathFor(t);
    writeFileSync(path, content);
    acquire(t, path);
    assert.equal(readFileSync(path, 'utf8'), OWN);
  });
}

test('a file of a terabyte blocks no start', (t) => {
  const path = pathFor(t);
  writeFileSync(path, '');
  truncateSync(path, 2 ** 40);
  acquire(t, path);
  assert.equal(readFileSync(path, 'utf8'), OWN);
});

test('the second is told who runs and since when', (t) => {
  const path = pathFor(t);
  acquire(t, path);
  const started = startTime(process.pid)?.date.getTime() as number;
  assert.throws(
    () => PidFile.acquire(path),
    ({ code, pid, startedAt, path: named }: AlreadyRunningError) => {
      assert.deepEqual([code, pid, named], ['ERR_ALREADY_RUNNING', process.pid, path]);
      // Both come from the clock of now, less the time since the boot.
      assert.ok(Math.abs((startedAt as Date).getTime() - started) < 1000);
      return true;
    },
  );
});

test('the second changes nothing', (t) => {
  const path = pathFor(t);
  acquire(t, path, { mode: 0o600 });
  const before = lstatSync(path, { bigint: true });
  assert.throws(() => PidFile.acquire(path, { mode: 0o644 }));
  const { ino, ctimeNs, mtimeNs } = lstatSync(path, { bigint: true });
  assert.deepEqual([ino, ctimeNs, mtimeNs], [before.ino, before.ctimeNs, before.mtimeNs]);
});

test('one that holds the lock and has written no number yet is told as starting, not by a number left over', async (t) => {
  const path = pathFor(t);
  writeFileSync(path, OWN);
  await hold(t, path, 'lockOnly');
  assert.throws(
    () => PidFile.acquire(path),
    ({ code, pid, message }: AlreadyRunningError) =>
      code === 'ERR_ALREADY_RUNNING' && pid === undefined && /is starting/.test(message),
  );
});

test('release removes it, and another can start', (t) => {
  const path = pathFor(t);
  acquire(t, path).release();
  assert.equal(existsSync(path), false);
  acquire(t, path);
});

test('releasing twice leaves the file of the next one alone', (t) => {
  const path = pathFor(t);
  const first = acquire(t, path);
  first.release();
  acquire(t, path);
  first.release();
  assert.equal(readFileSync(path, 'utf8'), OWN);
});

test('release leaves a file alone that has taken the place of its own', (t) => {
  const path = pathFor(t);
  const first = acquire(t, path);
  unlinkSync(path);
  acquire(t, path);
  first.release();
  assert.equal(readFileSync(path, 'utf8'), OWN);
});

test('release empties a file that was moved away', (t) => {
  const path = pathFor(t);
  const pidFile = acquire(t, path);
  renameSync(path, `${path}.old`);
  pidFile.release();
  assert.equal(readFileSync(`${path}.old`, 'utf8'), '');
});

test('a relative path means the working directory of then', async (t) => {
  const folder = temporaryDirectory(t);
  const holder = startFixture(t, FIXTURE, ['hold', 'x.pid'], { cwd: folder });
  await holder.line();
  assert.equal(PidFile.read(join(folder, 'x.pid')), holder.pid);
});

test('an exit removes it', async (t) => {
  const path = pathFor(t);
  const { child, outcome } = await hold(t, path);
  child.stdin?.end();
  await outcome;
  assert.equal(existsSync(path), false);
});

test('what a killed one leaves blocks no start', async (t) => {
  const path = pathFor(t);
  const { child, outcome, pid } = await hold(t, path);
  child.kill('SIGKILL');
  await outcome;
  assert.equal(readFileSync(path, 'utf8'), `${pid}\n`);
  acquire(t, path);
});

for (const [who, how] of [
  ['a forked worker', 'withWorker'],
  ['a program that was started', 'withProgram'],
] as const) {
  test(`${who} that outlives its parent keeps no lock`, async (t) => {
    const path = pathFor(t);
    const { child, outcome, lines } = await hold(t, path, how);
    // Both hold the pipes: the fixture's end is seen by its exit, not by theirs.
    const survivor = Number(/^(?:worker|program) (\d+)$/m.exec(lines.join('\n'))?.[1]);
    t.after(() => kill(survivor));
    child.kill('SIGKILL');
    await once(child, 'exit');
    process.kill(survivor, 0);
    acquire(t, path);
    kill(survivor);
    await outcome;
  });
}

test("a worker's exit doesn't remove the file", async (t) => {
  const path = pathFor(t);
  const { pid } = await hold(t, path, 'withShortWorker');
  await until('the worker has ended', () => /^State:\s+Z/m.test(statusOfChild(pid)));
  assert.equal(PidFile.read(path), pid);
});

function statusOfChild(pid: number): string {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ');
  return readFileSync(`/proc/${child}/status`, 'utf8');
}

test('its descriptor is close-on-exec', (t) => {
  const { fd } = acquire(t, pathFor(t));
  const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] as string;
  assert.ok(Number.parseInt(flags, 8) & 0o2000000);
});

test('other code that opens and closes the file takes no lock away', (t) => {
  const path = pathFor(t);
  acquire(t, path);
  readFileSync(path);
  assert.throws(() => PidFile.acquire(path), { code: 'ERR_ALREADY_RUNNING' });
});

test('many at a time: never do two hold it, whatever a stranger locks', async (t) => {
  const folder = temporaryDirectory(t);
  const path = join(folder, 'x.pid');
  writeFileSync(path, '');
  for (let i = 0; i < 2; i++) await lockOnAndOff(t, path);
  const competitors = Array.from({ length: 4 }, () =>
    runFixture(t, FIXTURE, ['compete', path, join(folder, 'witness'), '60']),
  );
  for (const { code, stdout, stderr } of await Promise.all(competitors)) {
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'held 60\n', stderr: '' });
  }
});

test('while a file that a stranger has locked is being replaced, nobody else can take it', needsStrace, async (t) => {
  const path = pathFor(t);
  writeFileSync(path, '');
  const stranger = await lockToRead(t, 'posix', path);
  // Stopped right before the new file takes the place of the old one; for long enough.
  const slow = ['-qq', '-o', '/dev/null', '-e', 'trace=rename', '-e', 'inject=rename:delay_enter=700000'];
  const replacing = startFixture(t, FIXTURE, ['hold', path], {
    execPath: 'strace',
    execArgv: [...slow, process.execPath],
  });
  await until('the new file is there', () => existsSync(`${path}.new`));
  stranger.child.kill('SIGKILL');
  await stranger.outcome;
  assert.throws(() => PidFile.acquire(path), { code: 'ERR_ALREADY_RUNNING' });
  assert.equal(await replacing.line(), `held by ${PidFile.read(path)}`);
  replacing.child.stdin?.end();
  await replacing.outcome;
});

for (const kind of lockKinds) {
  test(`a stranger's ${kind} lock on a file that they may read blocks no start`, needsRoot, async (t) => {
    const path = pathFor(t);
    chmodSync(join(path, '..'), 0o755);
    writeFileSync(path, '1\n');
    await lockToRead(t, kind, path, HOSTILE);
    acquire(t, path);
    assert.equal(readFileSync(path, 'utf8'), OWN);
    assert.equal(existsSync(`${path}.new`), false);
    assert.throws(() => PidFile.acquire(path), { code: 'ERR_ALREADY_RUNNING' });
  });
}

const refused: [what: string, make: (path: string, other: string) => unknown, code: string, test?: object][] = [
  ['a link to a file', (path, other) => symlinkSync(other, path), 'ERR_PID_FILE_UNSAFE'],
  ['a link to nothing', (path, other) => symlinkSync(`${other}.none`, path), 'ERR_PID_FILE_UNSAFE'],
  ['a link to itself', (path) => symlinkSync(path, path), 'ERR_PID_FILE_UNSAFE'],
  ['a second name of a file', (path, other) => linkSync(other, path), 'ERR_PID_FILE_UNSAFE'],
  ['a FIFO', (path) => execFileSync('mkfifo', [path]), 'ERR_PID_FILE_UNSAFE'],
  ['a device', (path) => execFileSync('mknod', [path, 'c', '1', '3']), 'ERR_PID_FILE_UNSAFE', needsRoot],
  ['a folder', (path) => mkdirSync(path), 'EISDIR'],
  ['a file of another user', (path) => chownSync(ownFile(path), HOSTILE, 0), 'ERR_PID_FILE_UNSAFE', needsRoot],
];

function ownFile(path: string): string {
  writeFileSync(path, '');
  return path;
}

for (const [what, make, code, options = {}] of refused) {
  test(`${what} in its place is refused with ${code}, and nothing is changed`, options, (t) => {
    const path = pathFor(t);
    const other = join(path, '../other');
    writeFileSync(other, 'other');
    make(path, other);
    const before = lstatSync(path);
    assert.throws(() => PidFile.acquire(path), { code, path });
    assert.deepEqual([lstatSync(path).ino, lstatSync(path).mode], [before.ino, before.mode]);
    assert.equal(readFileSync(other, 'utf8'), 'other');
    assert.equal(existsSync(`${other}.none`), false);
  });
}

test('a socket in its place is a coded error', async (t) => {
  const path = pathFor(t);
  const server = createServer().listen(path);
  await once(server, 'listening');
  t.after(() => server.close());
  assert.throws(() => PidFile.acquire(path), { code: 'ENXIO' });
});

test('a folder behind a link that another user made is refused', needsRoot, (t) => {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  lchownSync(join(folder, 'link'), HOSTILE, HOSTILE);
  assert.throws(() => PidFile.acquire(join(folder, 'link/x.pid')), { code: 'ERR_PID_FILE_UNSAFE' });
  assert.equal(existsSync(join(folder, 'real/x.pid')), false);
});

test('a folder behind a link of one’s own is not', (t) => {
  const folder = temporaryDirectory(t);
  mkdirSync(join(folder, 'real'));
  symlinkSync('real', join(folder, 'link'));
  acquire(t, join(folder, 'link/x.pid'));
  assert.equal(readFileSync(join(folder, 'real/x.pid'), 'utf8'), OWN);
});

for (const [what, prepare, options] of [
  ['that others can write', (folder: string) => chmodSync(folder, 0o1777), {}],
  ['of another user', (folder: string) => chownSync(folder, HONEST, HONEST), needsRoot],
  ['in one of another user', (folder: string) => chownSync(join(folder, '..'), HONEST, HONEST), needsRoot],
] as const) {
  test(`a folder ${what} is warned of`, options, async (t) => {
    const folder = join(temporaryDirectory(t), 'folder');
    mkdirSync(folder);
    prepare(folder);
    const warned = once(process, 'warning');
    acquire(t, join(folder, 'x.pid'));
    const [warning] = await warned;
    assert.deepEqual(
      [warning.code, /can keep a daemon from starting/.test(warning.message)],
      ['POSIX_DAEMON_UNSAFE_FOLDER', true],
    );
  });
}

test('no folder is ENOENT with the path', (t) => {
  const path = join(temporaryDirectory(t), 'none/x.pid');
  assert.throws(() => PidFile.acquire(path), { code: 'ENOENT' });
});

test('without rights to the folder any more the exit leaves the file empty', needsRoot, async (t) => {
  const path = pathFor(t);
  const { child, outcome } = await hold(t, path, 'dropped', `${HONEST}`);
  child.stdin?.end();
  const { code, stderr } = await outcome;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.equal(readFileSync(path, 'utf8'), '');
});

test('in another root the exit leaves the file empty', needsRoot, async (t) => {
  const path = pathFor(t);
  const { child, outcome } = await hold(t, path, 'inOtherRoot', temporaryDirectory(t));
  child.stdin?.end();
  const { code, stderr } = await outcome;
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.equal(readFileSync(path, 'utf8'), '');
});

test('an ordinary user starts again over the file that they left', needsRoot, async (t) => {
  const path = pathFor(t);
  chownSync(join(path, '..'), HONEST, HONEST);
  const first = startFixture(t, FIXTURE, ['hold', path], as(HONEST));
  await first.line();
  first.child.kill('SIGKILL');
  await first.outcome;
  const second = startFixture(t, FIXTURE, ['hold', path], as(HONEST));
  assert.equal(await second.line(), `held by ${second.pid}`);
});

for (const [content, pid] of [
  ['17\n', 17],
  ['17', 17],
  ['  17 \n', 17],
  ['17\nmore\n', 17],
  ['', null],
  ['0\n', null],
  ['-1\n', null],
  ['0x11\n', null],
  ['17 18\n', null],
  ['4194305\n', null],
  [`${'9'.repeat(40)}\n`, null],
] as const) {
  test(`read: ${JSON.stringify(content.slice(0, 12))} is ${pid}`, (t) => {
    const path = pathFor(t);
    writeFileSync(path, content);
    assert.equal(PidFile.read(path), pid);
  });
}

test('read: no file is null, a FIFO too and without waiting, a link is refused', (t) => {
  const path = pathFor(t);
  assert.equal(PidFile.read(path), null);
  execFileSync('mkfifo', [path]);
  assert.equal(PidFile.read(path), null);
  symlinkSync(path, `${path}.link`);
  assert.throws(() => PidFile.read(`${path}.link`), { code: 'ERR_PID_FILE_UNSAFE' });
});
