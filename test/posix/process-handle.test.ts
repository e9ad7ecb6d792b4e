import assert from 'node:assert/strict';
import { once } from 'node:events';
import { constants } from 'node:os';
import { test } from 'node:test';
import { openProcess } from 'posix-daemon';
import { fixturePath, runFixture, startFixture, startProgram } from '../helpers/fixture.js';
import { inPidNamespace, namespaceRefused } from '../helpers/namespace.js';
import { type Failure, scenario } from '../helpers/scenario.js';

const FIXTURE = 'process-handle';

for (const [title, name, expected] of [
  ['a process that runs is alive, a zombie is not', 'zombie', { running: true, zombie: false }],
  ['wait() tells how a child ended, and reaps it', 'reap', { samePid: true, exitCode: 7, reaped: 'ECHILD' }],
  ['several waits get the same answer, and a later one too', 'severalWaits', [7, 7, 7]],
  ["a child of child_process keeps its 'exit' event", 'nodeChild', { status: 7, event: [7, null] }],
  ['in a Worker wait() tells the status and leaves the reaping', 'worker', { inWorker: 7, reapedHere: 7 }],
  ['Workers terminated while they wait leave no pidfd', 'terminatedWorkers', { held: 1, exitCode: 7 }],
  ['close() rejects a pending wait and frees the pidfd', 'close', { name: 'AbortError', code: 'ABORT_ERR', held: 0 }],
  ['a closed handle fails with EBADF', 'afterClose', { alive: 'EBADF', signal: 'EBADF', wait: 'EBADF' }],
  ['a pending wait goes on in a forked child, which is no parent', 'forked', { parent: 7, child: 3 }],
  ["another user's process is seen, but not signalled", 'foreign', { alive: true, signal: 'EPERM' }],
  ['a pidfd is not inherited across exec', 'inherited', false],
] as const) {
  test(title, async (t) => {
    assert.deepEqual(await scenario(t, FIXTURE, [name]), expected);
  });
}

test('of several handles of a child one gets the status, and the others null or the same', async (t) => {
  const answers = await scenario<(number | null)[]>(t, FIXTURE, ['severalHandles']);
  assert.ok(answers.includes(7), String(answers));
  assert.ok(
    answers.every((answer) => answer === 7 || answer === null),
    String(answers),
  );
});

test('wait() keeps the event loop alive until the process has ended', async (t) => {
  const fixture = startFixture(t, FIXTURE, ['onlyWait']);
  assert.equal(await fixture.line(), 'waiting');
  fixture.child.stdin?.end();
  assert.equal(await fixture.line(), '7');
  const { code, signal } = await fixture.outcome;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

for (const name of ['unreferenced', 'unreferencedMeanwhile']) {
  test(`after unref() a wait keeps no event loop alive: ${name}`, async (t) => {
    // Its child holds the pipes.
    const fixture = startFixture(t, FIXTURE, [name]);
    assert.equal(await fixture.line(), '"ends"');
    const [code] = await once(fixture.child, 'exit');
    assert.equal(code, 0);
  });
}

test('after ref() it does again', async (t) => {
  const fixture = startFixture(t, FIXTURE, ['referencedAgain']);
  assert.equal(await fixture.line(), 'waiting');
  fixture.child.stdin?.end();
  assert.equal(await fixture.line(), '7');
});

test('a signal reaches the process, and fails with ESRCH once it has been reaped', async (t) => {
  const { signal, afterwards } = await scenario<{ signal: string; afterwards: Failure }>(t, FIXTURE, ['signal']);
  assert.equal(signal, 'SIGRTMIN+3');
  assert.deepEqual(afterwards, {
    name: 'Error',
    code: 'ESRCH',
    errno: -constants.errno.ESRCH,
    syscall: 'pidfd_send_signal',
    message: 'ESRCH: no such process, pidfd_send_signal',
  });
});

test('wait() for a process that is no child resolves to null', async (t) => {
  const stranger = startProgram(t, 'cat', []);
  const observer = startFixture(t, FIXTURE, ['stranger', String(stranger.pid)]);
  assert.equal(await observer.line(), 'waiting');
  stranger.child.stdin?.end();
  assert.equal(await observer.line(), 'null');
});

test('process.exit with a pending wait exits with its code', async (t) => {
  const { code, signal, stderr } = await runFixture(t, FIXTURE, ['exitWhileWaiting']);
  assert.deepEqual({ code, signal, stderr }, { code: 5, signal: null, stderr: '' });
});

test('a recycled pid is not hit', async (t) => {
  const refused = namespaceRefused();
  if (refused) return t.skip(refused);
  const { stdout, stderr } = await inPidNamespace(t, [process.execPath, fixturePath(FIXTURE), 'recycled']);
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), { samePid: true, alive: false, signal: 'ESRCH', other: 'unharmed' });
});

test('handles that are dropped do not leak their pidfds', async (t) => {
  assert.equal(await scenario(t, FIXTURE, ['dropped'], { execArgv: ['--expose-gc'] }), 500);
});

test('a handle that is dropped while it waits still gets its answer', async (t) => {
  assert.equal(await scenario(t, FIXTURE, ['droppedWhileWaiting'], { execArgv: ['--expose-gc'] }), 7);
});

test('openProcess of a pid that nobody has fails with ESRCH', async (t) => {
  assert.deepEqual(await scenario(t, FIXTURE, ['gone']), {
    name: 'Error',
    code: 'ESRCH',
    errno: -constants.errno.ESRCH,
    syscall: 'pidfd_open',
    message: 'ESRCH: no such process, pidfd_open',
  });
});

for (const [pid, code] of [
  [0, 'ERR_OUT_OF_RANGE'],
  [-1, 'ERR_OUT_OF_RANGE'],
  [2 ** 31, 'ERR_OUT_OF_RANGE'],
  ['1', 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`openProcess refuses ${JSON.stringify(pid)} with ${code}`, () => {
    assert.throws(() => openProcess(pid as number), { code });
  });
}

for (const [signal, code] of [
  ['SIGNOPE', 'ERR_UNKNOWN_SIGNAL'],
  [65, 'ERR_OUT_OF_RANGE'],
  [-9, 'ERR_OUT_OF_RANGE'],
  [null, 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`signal refuses ${JSON.stringify(signal)} with ${code}`, () => {
    using handle = openProcess(process.pid);
    assert.throws(() => handle.signal(signal as never), { code });
  });
}
