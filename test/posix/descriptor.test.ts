import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { closefrom, dup, dup2, flock, pipe, setCloexec } from 'posix-daemon';
import { fixturePath, startFixture, startProgram, until } from '../helpers/fixture.js';
import { failureOf, scenario } from '../helpers/scenario.js';

const play = <T>(t: TestContext, ...args: string[]) => scenario<T>(t, 'descriptor', args);

function temporaryFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'posix-daemon-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'lock');
}

const systemError = (code: 'EBADF' | 'EMFILE' | 'EBUSY' | 'EAGAIN', text: string, syscall: string) => ({
  name: 'Error',
  code,
  errno: -constants.errno[code],
  syscall,
  message: `${code}: ${text}, ${syscall}`,
});

test('dup copies a descriptor to another number, close-on-exec', async (t) => {
  assert.deepEqual(await play(t, 'dup'), { same: true, cloexec: true, differs: true });
});

test('dup without a free number fails with EMFILE', async (t) => {
  assert.deepEqual(await play(t, 'dupWithoutRoom'), systemError('EMFILE', 'too many open files', 'dup'));
});

test('dup2 puts a copy at the number asked for, close-on-exec', async (t) => {
  assert.deepEqual(await play(t, 'dup2'), { result: 700, same: true, cloexec: true });
});

test('dup2 replaces what was open at the number', async (t) => {
  assert.equal(await play(t, 'dup2OntoOpen'), true);
});

test('dup2 onto standard input is close-on-exec, and child_process hands it on all the same', async (t) => {
  assert.deepEqual(await play(t, 'dup2Stdin'), { cloexec: true, child: true });
});

test('dup2 of a number onto itself changes nothing', async (t) => {
  assert.deepEqual(await play(t, 'dup2Equal'), { same: true, cloexec: false });
});

for (const name of ['dup2Closed', 'dup2EqualClosed', 'dup2BeyondLimit']) {
  test(`dup2 fails with EBADF: ${name}`, async (t) => {
    assert.deepEqual(await play(t, name), systemError('EBADF', 'bad file descriptor', 'dup2'));
  });
}

test('dup2 onto the epoll descriptor of a running event loop fails with EBUSY and leaves it alone', async (t) => {
  const failure = systemError('EBUSY', 'resource busy or locked', 'dup2');
  assert.deepEqual(await play(t, 'dup2OntoEventLoop'), { failure, intact: true });
});

test('what is written to a pipe can be read from it; both ends block and are close-on-exec', async (t) => {
  assert.deepEqual(await play(t, 'pipe'), { text: 'through the pipe', cloexec: true, nonBlocking: false });
});

test('both ends of a non-blocking pipe are non-blocking', async (t) => {
  assert.equal(await play(t, 'pipeNonBlocking'), true);
});

test('setCloexec decides whether child_process hands a descriptor on', async (t) => {
  assert.deepEqual(await play(t, 'setCloexec'), {
    off: { flag: false, inherited: true },
    on: { flag: true, inherited: false },
  });
});

for (const [name, syscall] of [
  ['dupClosed', 'dup'],
  ['setCloexecClosed', 'fcntl'],
  ['flockClosed', 'flock'],
] as const) {
  test(`${syscall} of a descriptor that is not open fails with EBADF`, async (t) => {
    assert.deepEqual(await play(t, name), systemError('EBADF', 'bad file descriptor', syscall));
  });
}

test('a lock held elsewhere fails a non-blocking flock with EAGAIN, and unlocking lets it through', async (t) => {
  const failure = systemError('EAGAIN', 'resource temporarily unavailable', 'flock');
  assert.deepEqual(await play(t, 'flockTwice', temporaryFile(t)), failure);
});

test('a waiting flock gets the lock when its holder lets go, whatever signals come meanwhile', async (t) => {
  const path = temporaryFile(t);
  const holder = startFixture(t, 'descriptor', ['flockHolds', path]);
  assert.equal(await holder.line(), 'held');
  const waiter = startFixture(t, 'descriptor', ['flockWaits', path]);
  assert.equal(await waiter.line(), 'waiting');
  const waits = () => new RegExp(`-> FLOCK .* ${waiter.pid} `).test(readFileSync('/proc/locks', 'utf8'));
  await until('the fixture waits for the lock', waits);
  waiter.child.kill('SIGUSR2');
  holder.child.stdin?.end();
  assert.equal(await waiter.line(), '"held, and the listener ran"');
  const { code, signal } = await waiter.outcome;
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

test('closefrom closes files, pipes and copies from its number on, and none below', async (t) => {
  assert.deepEqual(await play(t, 'closefromClosesTheProgramsOwn'), { lowestKept: true, stillOpen: [] });
});

test('closefrom leaves nothing but what Node lives on', async (t) => {
  const left = new Set(await play<string[]>(t, 'closefromNamesWhatStays'));
  for (const name of left)
    assert.match(name, /^(anon_inode.*(eventpoll|eventfd|io_uring|inotify)\]?|pipe|\/dev\/null)$/);
});

test('after closefrom the event loop, thread pool, workers, signals, sockets and child processes go on', async (t) => {
  const seen = await play(t, 'closefromLeavesNodeWorking');
  assert.deepEqual(seen, ['signal', 'pool', 'worker', 'http', 'spawn']);
});

test('closefrom knows the pipes of pipe() however many were made and closed', async (t) => {
  assert.deepEqual(await play(t, 'closefromAfterManyPipes'), []);
});

for (const [cloexec, open] of [
  ['true', true],
  ['false', false],
] as const) {
  test(`closefrom takes a pipe it did not make for libuv's if it is close-on-exec: ${cloexec}`, async (t) => {
    const command = `true | '${process.execPath}' '${fixturePath('descriptor')}' closefromForeignPipe ${cloexec}`;
    const { stdout } = await startProgram(t, 'sh', ['-c', command]).outcome;
    assert.deepEqual(JSON.parse(stdout), [open, open]);
  });
}

test('closefrom spares /dev/null opened read-only, which may be the reserve of libuv, and no other', async (t) => {
  assert.deepEqual(await play(t, 'closefromSparesTheReserve'), [true, false]);
});

test('after closefrom on a terminal, process.stdout still writes', async (t) => {
  const command = `'${process.execPath}' '${fixturePath('descriptor')}' closefromTerminal`;
  const { code, signal, stdout } = await startProgram(t, 'script', ['-qec', command, '/dev/null']).outcome;
  assert.deepEqual({ code, signal, stdout: stdout.trim() }, { code: 0, signal: null, stdout: '"stdout lives"' });
});

for (const [title, call, code] of [
  ['dup of a string', () => dup('1' as never), 'ERR_INVALID_ARG_TYPE'],
  ['dup of a negative number', () => dup(-1), 'ERR_OUT_OF_RANGE'],
  ['dup2 onto NaN', () => dup2(0, Number.NaN), 'ERR_OUT_OF_RANGE'],
  ['pipe with null', () => pipe(null as never), 'ERR_INVALID_ARG_TYPE'],
  ['pipe with a number for nonBlocking', () => pipe({ nonBlocking: 1 as never }), 'ERR_INVALID_ARG_TYPE'],
  ['a misspelt option', () => flock(0, 'shared', { nonblocking: true } as never), 'ERR_INVALID_ARG_VALUE'],
  ['closefrom without a number', () => closefrom(undefined as never), 'ERR_INVALID_ARG_TYPE'],
  ['closefrom of a fraction', () => closefrom(3.5), 'ERR_OUT_OF_RANGE'],
  ['flock with an unknown operation', () => flock(0, 'toString' as never), 'ERR_INVALID_ARG_VALUE'],
  ['flock with a number for an operation', () => flock(0, 2 as never), 'ERR_INVALID_ARG_TYPE'],
  ['setCloexec with a number for a boolean', () => setCloexec(0, 1 as never), 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`${title} is refused with ${code}`, () => {
    assert.equal(failureOf(call).code, code);
  });
}
