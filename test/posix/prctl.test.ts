import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setChildSubreaper, setDumpable, setPdeathsig, setThreadName } from 'posix-daemon';
import { startFixture } from '../helpers/fixture.js';
import { failureOf, scenario } from '../helpers/scenario.js';

const play = <T>(t: TestContext, ...args: string[]) => scenario<T>(t, 'prctl', args);

test('setPdeathsig arms a signal, by name, and 0 disarms it', async (t) => {
  assert.deepEqual(await play(t, 'pdeathsig'), { before: null, armed: 'SIGUSR2', disarmed: null });
});

test('a process that armed SIGKILL dies with its SIGKILLed parent', async (t) => {
  const parent = startFixture(t, 'prctl', ['parent']);
  const pid = Number(await parent.line());
  let dead = false;
  t.after(() => {
    if (!dead) process.kill(pid, 'SIGKILL');
  });
  parent.child.kill('SIGKILL');
  // Standard output is shared: it ends when the second of them is gone.
  const { signal } = await parent.outcome;
  dead = true;
  assert.equal(signal, 'SIGKILL');
});

test('a subreaper becomes the parent of an orphaned grandchild', async (t) => {
  assert.deepEqual(await play(t, 'subreaper', 'true'), { get: true, adopted: true });
});

test('what is no subreaper does not', async (t) => {
  assert.deepEqual(await play(t, 'subreaper', 'false'), { get: false, adopted: false });
});

test('setNoNewPrivs holds from then on', async (t) => {
  assert.deepEqual(await play(t, 'noNewPrivs'), { before: false, after: true, kernel: '1' });
});

test('setDumpable turns it off and on', async (t) => {
  assert.deepEqual(await play(t, 'dumpable'), { before: true, off: false, on: true });
});

for (const name of ['d', 'fifteen bytes !', 'sieben Bäume']) {
  test(`setThreadName('${name}') names the calling thread alone`, async (t) => {
    assert.deepEqual(await play(t, 'threadName', name), { get: name, comm: name, worker: 'a worker' });
  });
}

for (const args of [['setPdeathsig', 'SIGTERM'], ['getPdeathsig'], ['chdir', '/'], ['chroot', '/']] as const) {
  test(`${args[0]} is refused in a worker thread`, async (t) => {
    assert.equal(await play(t, 'inWorker', ...args), 'ERR_WORKER_UNSUPPORTED_OPERATION');
  });
}

for (const [title, call, code] of [
  ['setPdeathsig of an unknown signal', () => setPdeathsig('SIGNAL' as never), 'ERR_UNKNOWN_SIGNAL'],
  ['setPdeathsig of 65', () => setPdeathsig(65), 'ERR_OUT_OF_RANGE'],
  ['setChildSubreaper of a number', () => setChildSubreaper(1 as never), 'ERR_INVALID_ARG_TYPE'],
  ['setDumpable without a value', () => setDumpable(undefined as never), 'ERR_INVALID_ARG_TYPE'],
  ['an empty thread name', () => setThreadName(''), 'ERR_OUT_OF_RANGE'],
  ['a thread name of 16 bytes', () => setThreadName('sixteen bytes !!'), 'ERR_OUT_OF_RANGE'],
  ['a thread name of 15 characters but 16 bytes', () => setThreadName('fifteen chars ä'), 'ERR_OUT_OF_RANGE'],
  ['a thread name with a null byte', () => setThreadName('a\0b'), 'ERR_INVALID_ARG_VALUE'],
] as const) {
  test(`${title} is refused with ${code}`, () => {
    assert.equal(failureOf(call).code, code);
  });
}
