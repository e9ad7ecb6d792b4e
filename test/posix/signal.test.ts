import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { kill, setSignalMask } from 'posix-daemon';
import { fixturePath } from '../helpers/fixture.js';
import { inPidNamespace } from '../helpers/namespace.js';
import { type Failure, failureOf, scenario } from '../helpers/scenario.js';

const play = <T>(t: TestContext, ...args: string[]) => scenario<T>(t, 'signal', args);

async function playAlone(t: TestContext, name: string): Promise<unknown> {
  const { code, signal, stdout, stderr } = await inPidNamespace(t, [process.execPath, fixturePath('signal'), name]);
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

for (const [given, name] of [
  ['SIGTERM', 'SIGTERM'],
  ['10', 'SIGUSR1'],
] as const) {
  test(`kill(pid, ${given}) ends a process by ${name}`, async (t) => {
    assert.deepEqual(await play(t, 'kill', given), [null, name]);
  });
}

test('kill of a negative pid reaches a process group', async (t) => {
  assert.deepEqual(await playAlone(t, 'killGroup'), [null, 'SIGKILL']);
});

test('kill(-1) reaches every process but the first and the caller', async (t) => {
  const ends = [
    [null, 'SIGUSR1'],
    [null, 'SIGUSR1'],
  ];
  assert.deepEqual(await playAlone(t, 'killEveryone'), ends);
});

test('kill(0) reaches the group of the caller, itself included', async (t) => {
  const { stdout } = await inPidNamespace(t, [
    'setsid',
    '--wait',
    process.execPath,
    fixturePath('signal'),
    'killOwnGroup',
  ]);
  assert.equal(JSON.parse(stdout), 'heard it itself');
});

for (const name of ['killDead', 'killDeadGroup']) {
  test(`kill of nobody fails with ESRCH: ${name}`, async (t) => {
    assert.deepEqual(await play(t, name), {
      name: 'Error',
      code: 'ESRCH',
      errno: -constants.errno.ESRCH,
      syscall: 'kill',
      message: 'ESRCH: no such process, kill',
    });
  });
}

test('kill of a process of another user fails with EPERM', async (t) => {
  const { code, errno, syscall } = await play<Failure>(t, 'killForeign');
  assert.deepEqual({ code, errno, syscall }, { code: 'EPERM', errno: -constants.errno.EPERM, syscall: 'kill' });
});

test('setSignalMask blocks exactly the signals given, by name or number, and returns those before', async (t) => {
  const names = ['SIGUSR2', 'SIGTERM', 'SIGRTMIN+3', 'SIGRTMAX'];
  assert.deepEqual(await play(t, 'mask'), {
    before: [],
    get: names,
    kernel: [12, 15, 37, 64],
    previous: names,
    after: [],
  });
});

test('a mask belongs to its thread: a worker inherits it and changes only its own', async (t) => {
  const worker = { inherited: ['SIGHUP'], own: ['SIGTERM'] };
  assert.deepEqual(await play(t, 'maskOfWorker'), { worker, main: ['SIGHUP'] });
});

test('every signal that can be blocked has a name that means the same number', async (t) => {
  assert.deepEqual(await play(t, 'names'), []);
});

test('a signal with two names is reported by the one that process.on uses', async (t) => {
  assert.deepEqual(await play(t, 'aliases'), ['SIGABRT', 'SIGIO', 'SIGRTMIN', 'SIGRTMAX']);
});

test('resetSignals restores ignored signals but SIGPIPE and SIGXFSZ, empties the mask, leaves handlers', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'posix-daemon-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const library = join(directory, 'ignore-hangup.so');
  const source =
    '#include <signal.h>\n__attribute__((constructor)) static void ignore(void) { signal(SIGHUP, SIG_IGN); }\n';
  writeFileSync(join(directory, 'ignore-hangup.c'), source);
  const { error } = spawnSync('cc', ['-shared', '-fPIC', '-o', library, join(directory, 'ignore-hangup.c')]);
  if (error) return t.skip('no C compiler to build a library that ignores a signal');
  const { SIGHUP, SIGPIPE, SIGXFSZ } = constants.signals;
  assert.deepEqual(await play(t, 'reset', library), {
    before: [SIGHUP, SIGPIPE, SIGXFSZ],
    after: [SIGPIPE, SIGXFSZ],
    blocked: [],
    handlersStay: true,
  });
});

test('an unknown signal is refused as Node does, with the name it was meant for', () => {
  const { name, code, message } = failureOf(() => kill(process.pid, 'term' as never));
  assert.deepEqual([name, code], ['TypeError', 'ERR_UNKNOWN_SIGNAL']);
  assert.match(message, /'term' as "signal"\. Did you mean 'SIGTERM'\?/);
});

for (const [title, call, code] of [
  ['a name of Object.prototype', () => kill(process.pid, 'constructor' as never), 'ERR_UNKNOWN_SIGNAL'],
  ['a number above the last signal', () => kill(process.pid, 65), 'ERR_OUT_OF_RANGE'],
  ['a negative signal', () => kill(process.pid, -1), 'ERR_OUT_OF_RANGE'],
  ['no signal', () => kill(process.pid, undefined as never), 'ERR_INVALID_ARG_TYPE'],
  ['NaN for a pid', () => kill(Number.NaN, 0), 'ERR_OUT_OF_RANGE'],
  ['a fraction for a pid', () => kill(1.5, 0), 'ERR_OUT_OF_RANGE'],
  ['a pid beyond 32 bits', () => kill(2 ** 31, 0), 'ERR_OUT_OF_RANGE'],
  ['a string for a pid', () => kill('1' as never, 0), 'ERR_INVALID_ARG_TYPE'],
  ['signal 0 in a mask', () => setSignalMask([0]), 'ERR_OUT_OF_RANGE'],
  ['SIGKILL in a mask', () => setSignalMask(['SIGKILL']), 'ERR_INVALID_ARG_VALUE'],
  ['SIGSTOP by number in a mask', () => setSignalMask([19]), 'ERR_INVALID_ARG_VALUE'],
  ["the C library's own signal in a mask", () => setSignalMask([33]), 'ERR_INVALID_ARG_VALUE'],
  ['one name instead of a mask', () => setSignalMask('SIGTERM' as never), 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`${title} is refused with ${code}`, () => {
    assert.equal(failureOf(call).code, code);
  });
}
