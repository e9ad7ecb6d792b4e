import assert from 'node:assert/strict';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { execve } from 'posix-daemon';
import { descriptorsOf, nullSeparated, temporaryDirectory, withOpen } from '../helpers/exec.js';
import { procStatus, type Running, runFixture, startFixture, startProgram } from '../helpers/fixture.js';

type Options = Parameters<typeof startFixture>[3];

// A fixture that has become `cat`, which ends when its standard input does.
async function becomeCat(t: TestContext, args: unknown[], options: Options = {}): Promise<Running> {
  const json = args.map((arg) => JSON.stringify(arg));
  const running = startFixture(t, 'execve', ['plain', JSON.stringify('/bin/cat'), ...json], options);
  running.child.stdin?.write('\n');
  await running.line();
  return running;
}

test('the process becomes the program, with its arguments and the environment given', async (t) => {
  const { pid } = await becomeCat(t, [['my cat', '-'], { A: 'b' }]);
  assert.deepEqual(nullSeparated(`/proc/${pid}/cmdline`), ['my cat', '-']);
  assert.deepEqual(nullSeparated(`/proc/${pid}/environ`), ['A=b']);
  assert.equal(procStatus(pid, 'PPid'), String(process.pid));
});

test('the environment is process.env by default', async (t) => {
  const { pid } = await becomeCat(t, [['cat']], { env: { ONE: 'two' } });
  assert.deepEqual(nullSeparated(`/proc/${pid}/environ`), ['ONE=two']);
});

test('only 0, 1, 2 and the named descriptors stay open', async (t) => {
  const directory = temporaryDirectory(t);
  const [a, b, c] = [join(directory, 'a'), join(directory, 'b'), join(directory, 'c')];
  const options = withOpen({ 30: a, 31: b, 200: c });
  const { pid } = await becomeCat(t, [['cat'], {}, { fds: [200, 30] }], options);
  const { 0: stdin, 1: stdout, 2: stderr, ...rest } = descriptorsOf(pid);
  assert.ok(stdin && stdout && stderr);
  assert.deepEqual(rest, { 30: a, 200: c });
});

test('no signal is ignored because Node ignored it', async (t) => {
  const { pid } = await becomeCat(t, [['cat']]);
  for (const field of ['SigIgn', 'SigBlk', 'SigCgt']) assert.equal(procStatus(pid, field), '0000000000000000', field);
});

test('a pipe that Node made non-blocking blocks again', async (t) => {
  const { stdout } = await runFixture(t, 'execve', ['nonBlocking']);
  const flags = Number.parseInt(stdout.match(/^flags:\t(\d+)/m)?.[1] ?? '', 8);
  assert.equal(flags & constants.O_NONBLOCK, 0);
});

test('no exit handler runs', async (t) => {
  const running = startFixture(t, 'execve', ['exitHandler']);
  running.child.stdin?.end();
  const { stdout, code, signal } = await running.outcome;
  assert.deepEqual({ stdout, code, signal }, { stdout: 'replaced\n', code: 0, signal: null });
});

test('a failed call says why and leaves descriptors, their flags and signals as they were', async (t) => {
  const directory = temporaryDirectory(t);
  const { stdout } = await runFixture(
    t,
    'execve',
    ['fails'],
    withOpen({ 8: join(directory, 'a'), 9: join(directory, 'b') }),
  );
  const { errors, before, after } = JSON.parse(stdout);
  assert.deepEqual(
    errors.map(({ code, syscall, path }: NodeJS.ErrnoException) => [code, syscall, path]),
    [
      ['ENOENT', 'execve', '/nowhere/program'],
      ['EACCES', 'execve', '/etc/passwd'],
      ['EBADF', 'execve', undefined],
    ],
  );
  assert.deepEqual(after, before);
  assert.notEqual(before.ignored, '0000000000000000');
});

// script(1) gives a program a terminal.
async function onTerminal(t: TestContext, scenario: string): Promise<string> {
  const fixture = new URL('../fixtures/execve.js', import.meta.url).pathname;
  const command = `'${process.execPath}' '${fixture}' ${scenario}`;
  const { stdout } = await startProgram(t, 'script', ['-qec', command, '/dev/null']).outcome;
  return stdout;
}

test('a terminal leaves raw mode', async (t) => {
  assert.match(await onTerminal(t, 'raw'), /[^-]icanon/);
});

test('a terminal stays in raw mode when the call fails', async (t) => {
  assert.match(await onTerminal(t, 'rawFails'), /-icanon/);
});

const bad: [what: string, call: () => unknown, code: string][] = [
  ['an empty path', () => execve('', ['x']), 'ERR_INVALID_ARG_VALUE'],
  ['no argv[0]', () => execve('/x', []), 'ERR_INVALID_ARG_VALUE'],
  ['an argument that is no string', () => execve('/x', ['x', 1 as never]), 'ERR_INVALID_ARG_TYPE'],
  ['an environment that is none', () => execve('/x', ['x'], null as never), 'ERR_INVALID_ARG_TYPE'],
  ['a misspelt option', () => execve('/x', ['x'], {}, { fd: [3] } as never), 'ERR_INVALID_ARG_VALUE'],
  ['a negative descriptor', () => execve('/x', ['x'], {}, { fds: [-1] }), 'ERR_OUT_OF_RANGE'],
];

for (const [what, call, code] of bad) {
  test(`${what} is ${code}`, () => {
    assert.throws(call, { code });
  });
}
