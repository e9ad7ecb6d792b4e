import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { type ForkExecOptions, forkExec } from 'posix-daemon';
import { childrenOf, hasEnded, needsRoot, startCat, stat } from '../helpers/exec.js';
import { startFixture, until } from '../helpers/fixture.js';
import { kill } from '../helpers/processes.js';

const detached: ForkExecOptions = { setsid: true, detach: true };
const SESSION = 6;
const PARENT = 4;

async function startDetached(t: TestContext, options: ForkExecOptions = {}) {
  const started = await startCat(t, { ...detached, ...options });
  t.after(() => kill(started.pid));
  return started;
}

test('the pid returned is that of the program', async (t) => {
  const { pid } = await startDetached(t, { argv: ['-'] });
  assert.equal(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '/bin/cat\0-\0');
});

test('the program is in a session of its own, and does not lead it', async (t) => {
  const { pid, parent } = await startDetached(t);
  const session = Number(stat(pid, SESSION));
  assert.notEqual(session, pid);
  assert.notEqual(session, Number(stat(parent.pid, SESSION)));
});

test('the one that led the session is gone and reaped', async (t) => {
  const { pid, parent } = await startDetached(t);
  assert.ok(!existsSync(`/proc/${stat(pid, SESSION)}`));
  assert.deepEqual(childrenOf(parent.pid), []);
});

test('it is no child of the caller', async (t) => {
  const { pid, parent } = await startDetached(t);
  assert.notEqual(Number(stat(pid, PARENT)), parent.pid);
});

test('it outlives the caller', async (t) => {
  const parent = startFixture(t, 'exec', [JSON.stringify([['/bin/sleep', { ...detached, argv: ['1000'] }]])]);
  const { pid } = JSON.parse(await parent.line());
  t.after(() => kill(pid));
  parent.child.kill('SIGKILL');
  await once(parent.child, 'exit');
  assert.ok(!hasEnded(pid));
});

for (const [what, file, options, code, step] of [
  ['no program', '/nowhere/program', {}, 'ENOENT', 'execve'],
  ['no working directory', '/bin/cat', { cwd: '/nowhere' }, 'ENOENT', 'chdir'],
  ['no file to read', '/bin/cat', { stdio: ['/nowhere/file'] }, 'ENOENT', 'open'],
  ['a closed source', '/bin/cat', { fds: { 3: 999 } }, 'EBADF', 'dup'],
] as const) {
  test(`${what}: ${code} in ${step}, and no process is left`, async (t) => {
    const parent = startFixture(t, 'exec', [JSON.stringify([[file, { ...detached, ...options }]])]);
    const answer = JSON.parse(await parent.line());
    assert.deepEqual([answer.code, answer.step, answer.syscall], [code, step, 'forkExec']);
    assert.deepEqual(childrenOf(parent.pid), []);
  });
}

test('with other ids, too', needsRoot, async (t) => {
  const { pid } = await startDetached(t, { uid: 2001, gid: 2001, groups: [] });
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Uid:\t2001\t2001\t2001\t2001$/m);
});

test('a process that may have only one more fails with EAGAIN, and leaves none', needsRoot, async (t) => {
  const parent = startFixture(t, 'exec-later', [JSON.stringify(detached)], { uid: 61302, gid: 61302 });
  await parent.line();
  const threads = readFileSync(`/proc/${parent.pid}/status`, 'utf8').match(/^Threads:\s+(\d+)/m)?.[1];
  const limit = Number(threads) + 1;
  execFileSync('prlimit', ['--pid', String(parent.pid), `--nproc=${limit}:${limit}`], { uid: 61302, gid: 61302 });
  parent.child.stdin?.write('go\n');
  const { code, step } = JSON.parse(await parent.line());
  assert.deepEqual([code, step], ['EAGAIN', 'clone']);
  await until(
    'nobody is left',
    () => execFileSync('ps', ['-u', '61302', '-o', 'pid=']).toString().trim() === String(parent.pid),
  );
});

for (const [what, options] of [
  ['without setsid', { detach: true }],
  ['with pdeathsig', { ...detached, pdeathsig: 'SIGTERM' }],
  ['with ctty', { ...detached, ctty: 0 }],
] as const) {
  test(`detach ${what} is refused`, () => {
    assert.throws(() => forkExec('/nowhere/program', options), { code: 'ERR_INVALID_ARG_VALUE', message: /detach/ });
  });
}

test('detach that is no boolean is refused', () => {
  assert.throws(() => forkExec('/nowhere/program', { setsid: true, detach: 1 as never }), {
    code: 'ERR_INVALID_ARG_TYPE',
    message: /options\.detach/,
  });
});
