import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ForkExecOptions } from 'posix-daemon';
import { descriptorsOf, failure, start, startCat, temporaryDirectory, withOpen } from '../helpers/exec.js';
import { startFixture, until } from '../helpers/fixture.js';

test("only 0, 1 and 2 are open, and they are the caller's", async (t) => {
  const directory = temporaryDirectory(t);
  const { pid, parent } = await startCat(t, {}, withOpen({ 7: join(directory, 'seven'), 300: join(directory, 'far') }));
  const inherited = descriptorsOf(parent.pid);
  assert.deepEqual(descriptorsOf(pid), { 0: inherited[0], 1: inherited[1], 2: inherited[2] });
});

test('two descriptors trade places', async (t) => {
  const directory = temporaryDirectory(t);
  const [a, b] = [join(directory, 'a'), join(directory, 'b')];
  const { pid } = await startCat(t, { fds: { 33: 34, 34: 33 } }, withOpen({ 33: a, 34: b }));
  const { 33: at33, 34: at34 } = descriptorsOf(pid);
  assert.deepEqual([at33, at34], [b, a]);
});

test('standard output and standard error trade places', async (t) => {
  const { pid, parent } = await startCat(t, { stdio: [0, 2, 1] });
  const { 1: output, 2: error } = descriptorsOf(parent.pid);
  const { 1: atOutput, 2: atError } = descriptorsOf(pid);
  assert.deepEqual([atOutput, atError], [error, output]);
});

test('one source goes to several targets, past gaps, and all else is closed', async (t) => {
  const file = join(temporaryDirectory(t), 'f');
  const { pid, parent } = await startCat(
    t,
    { stdio: [0, 9, 9], fds: { 4: 9, 200: 9, 6: 9 } },
    withOpen({ 9: file, 10: file }),
  );
  const { 0: stdin } = descriptorsOf(parent.pid);
  assert.deepEqual(descriptorsOf(pid), { 0: stdin, 1: file, 2: file, 4: file, 6: file, 200: file });
});

test("'null' is /dev/null for reading and writing", async (t) => {
  const { pid } = await start(t, '/bin/sleep', {
    argv: ['1000'],
    stdio: ['null', 'null', 'null'],
    pdeathsig: 'SIGKILL',
  });
  assert.deepEqual(descriptorsOf(pid), { 0: '/dev/null', 1: '/dev/null', 2: '/dev/null' });
});

test('a path is read from for 0 and appended to for 1 and 2, created under the new umask', async (t) => {
  const directory = temporaryDirectory(t);
  const [input, output, log] = [join(directory, 'in'), join(directory, 'out'), join(directory, 'log')];
  writeFileSync(input, 'read\n');
  writeFileSync(output, 'before\n');
  const options = { argv: ['-c', 'cat; echo problem >&2'], stdio: [input, output, log], umask: 0o027 };
  await start(t, '/bin/sh', options);
  await until('it wrote', () => readFileSync(log, 'utf8') === 'problem\n');
  assert.equal(readFileSync(output, 'utf8'), 'before\nread\n');
  assert.equal(statSync(log).mode & 0o777, 0o640);
});

test("a path is the caller's, not relative to the new working directory", async (t) => {
  const directory = temporaryDirectory(t);
  const { pid } = await startCat(t, { cwd: '/', stdio: ['inherit', 'log'] }, { cwd: directory });
  assert.equal(descriptorsOf(pid)[1], join(directory, 'log'));
});

test('a descriptor that is copied from itself loses close-on-exec', async (t) => {
  const file = join(temporaryDirectory(t), 'f');
  const { pid } = await startCat(t, { stdio: [0, 1, 2], fds: { 40: 40 } }, withOpen({ 40: file }));
  assert.equal(descriptorsOf(pid)[40], file);
});

test("a source that isn't open is EBADF, also when an opened file could have taken its number", async (t) => {
  // The child's own descriptors start at the first free number.
  const probe = await startCat(t, {});
  const used = descriptorsOf(probe.parent.pid);
  let free = 3;
  while (free in used) free++;
  const { code, step } = await failure(t, '/bin/true', { stdio: ['null', 'null'], fds: { 3: free } });
  assert.deepEqual([code, step], ['EBADF', 'dup']);
});

test('a low descriptor limit is set when the descriptors are in place', async (t) => {
  const file = join(temporaryDirectory(t), 'f');
  const { pid } = await startCat(t, { rlimits: { nofile: 4 }, fds: { 100: 9 } }, withOpen({ 9: file }));
  assert.equal(descriptorsOf(pid)[100], file);
});

test('200 calls, failing ones among them, leave no descriptor and no failed child behind', async (t) => {
  const directory = temporaryDirectory(t);
  const kinds: [string, ForkExecOptions][] = [
    ['/nowhere/program', {}],
    ['/bin/true', { cwd: '/nowhere' }],
    ['/bin/true', { stdio: ['null', join(directory, 'log'), '/nowhere/log'] }],
    ['/bin/true', { fds: { 3: 999 } }],
  ];
  const calls = Array.from({ length: 200 }, (_, i) => kinds[i % kinds.length]);
  const parent = startFixture(t, 'exec', [JSON.stringify([['/bin/cat', {}], ...calls, ['/bin/cat', {}]])]);
  const first = JSON.parse(await parent.line()).pid;
  const before = descriptorsOf(parent.pid);
  for (const _ of calls) assert.ok(JSON.parse(await parent.line()).code);
  const last = JSON.parse(await parent.line()).pid;
  await until(
    'the descriptors are those of before',
    () => Object.keys(descriptorsOf(parent.pid)).length <= Object.keys(before).length,
  );
  assert.equal(readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim(), `${first} ${last}`);
});
