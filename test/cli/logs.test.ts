import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { type Sandbox, sandbox } from '../helpers/command.js';
import { until } from '../helpers/fixture.js';

/** A daemon that writes nothing: the test writes its log. */
async function quiet(t: TestContext): Promise<Sandbox & { log: string }> {
  const box = sandbox(t);
  await box.start(['--name', 'web', '--', 'sleep', '1000']);
  return { ...box, log: join(box.home, 'web.log') };
}

function numbered(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, i) => `line ${from + i}\n`).join('');
}

test('logs prints the last ten lines, or as many as -n says', async (t) => {
  const { ok, log } = await quiet(t);
  writeFileSync(log, numbered(1, 100));
  assert.equal(await ok(['logs', 'web']), numbered(91, 100));
  assert.equal(await ok(['logs', '-n', '3', 'web']), numbered(98, 100));
  assert.equal(await ok(['logs', '-n', '0', 'web']), '');
  assert.equal(await ok(['logs', '-n', '1000', 'web']), numbered(1, 100));
});

test('lines that have been rotated away are shown too', async (t) => {
  const { ok, log } = await quiet(t);
  writeFileSync(`${log}.2`, numbered(1, 5));
  writeFileSync(`${log}.1`, numbered(6, 10));
  writeFileSync(log, numbered(11, 12));
  assert.equal(await ok(['logs', '-n', '9', 'web']), numbered(4, 12));
});

test('a long log is read from its end, in pieces', async (t) => {
  const { ok, log, folder } = await quiet(t);
  writeFileSync(log, numbered(1, 50_000));
  // Not by way of the runner, which reads no more than it is asked for.
  await ok(['logs', '-n', '30000', 'web'], { via: ['sh', '-c', '"$@" > printed', 'sh'] });
  assert.equal(readFileSync(join(folder, 'printed'), 'utf8'), numbered(20_001, 50_000));
});

test('two logs are shown with their names, as JSON line by line', async (t) => {
  const { start, ok, folder } = sandbox(t);
  await start([
    '--name',
    'web',
    '--stdout',
    'out',
    '--stderr',
    'err',
    '--',
    'sh',
    '-c',
    'echo a; echo b >&2; exec sleep 9',
  ]);
  const [out, err] = [join(folder, 'out'), join(folder, 'err')];
  await until('both', () => existsSync(out) && readFileSync(out).length > 0 && readFileSync(err).length > 0);
  assert.equal(await ok(['logs', 'web']), `==> ${out} <==\na\n\n==> ${err} <==\nb\n`);
  const lines = (await ok(['logs', '--json', 'web'])).trim().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      { file: out, line: 'a' },
      { file: err, line: 'b' },
    ],
  );
});

test('logs -f goes on with what is written', async (t) => {
  const { begin, log } = await quiet(t);
  writeFileSync(log, numbered(1, 20));
  const following = begin(['logs', '-f', '-n', '1', 'web']);
  assert.equal(await following.line(), 'line 20');
  appendFileSync(log, numbered(21, 22));
  assert.deepEqual([await following.line(), await following.line()], ['line 21', 'line 22']);
  process.kill(following.pid, 'SIGINT');
  assert.equal((await following.outcome).signal, 'SIGINT');
});

test('logs -f survives rotation, truncation and several rotations at once, and misses nothing', async (t) => {
  const { begin, log } = await quiet(t);
  writeFileSync(log, numbered(1, 1));
  const following = begin(['logs', '-f', 'web']);
  assert.equal(await following.line(), 'line 1');
  renameSync(log, `${log}.1`);
  appendFileSync(`${log}.1`, numbered(2, 2));
  writeFileSync(log, numbered(3, 3));
  assert.deepEqual([await following.line(), await following.line()], ['line 2', 'line 3']);
  // One whose writer has not yet noticed the rotation.
  appendFileSync(`${log}.1`, 'late\n');
  assert.equal(await following.line(), 'late');
  truncateSync(log);
  appendFileSync(log, 'x\n');
  assert.equal(await following.line(), 'x');
  renameSync(`${log}.1`, `${log}.3`);
  renameSync(log, `${log}.2`);
  writeFileSync(`${log}.1`, 'second\n');
  writeFileSync(log, 'third\n');
  assert.deepEqual([await following.line(), await following.line()], ['second', 'third']);
});

test('logs -f waits for a log that isn’t there yet', async (t) => {
  const { begin, log } = await quiet(t);
  renameSync(log, `${log}.away`);
  const following = begin(['logs', '-f', 'web']);
  await until('it watches', () => watches(following.pid));
  writeFileSync(log, 'first\n');
  assert.equal(await following.line(), 'first');
});

function watches(pid: number): boolean {
  const folder = `/proc/${pid}/fdinfo`;
  try {
    return readdirSync(folder).some((fd) => readFileSync(`${folder}/${fd}`, 'utf8').includes('inotify wd:'));
  } catch {
    return false; // one was closed meanwhile
  }
}

test('logs -f into a pipe whose reader has seen enough ends', async (t) => {
  const { begin, log } = await quiet(t);
  writeFileSync(log, numbered(1, 3));
  const via = ['sh', '-c', '"$@" | head -n 2', 'sh'];
  const following = begin(['logs', '-f', 'web'], { via });
  assert.deepEqual([await following.line(), await following.line()], ['line 1', 'line 2']);
  const writing = setInterval(() => appendFileSync(log, 'more\n'), 5);
  t.after(() => clearInterval(writing));
  assert.equal((await following.outcome).code, 0);
});

test('logs of an unknown daemon is an error that names the nearest', async (t) => {
  const { run } = await quiet(t);
  const { code, stderr } = await run(['logs', 'wbe']);
  assert.equal(code, 1);
  assert.match(stderr, /wbe: no daemon of this name is known. Did you mean 'web'\?/);
});
