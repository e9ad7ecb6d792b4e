import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needsRoot, stat, temporaryDirectory } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { keep, keepShell, openFiles, STOPPED, untilFile } from '../helpers/keeper.js';

test('both streams go into one file over one descriptor, line by line', async (t) => {
  const script = `i=0; while [ $i -lt 200 ]; do printf ou; printf er >&2; printf 't\\n'; printf 'r\\n' >&2; i=$((i + 1)); done
    exec sleep 1000`;
  const kept = keepShell(t, script);
  await kept.program();
  assert.equal(openFiles(kept.pid).filter((path) => path === kept.log).length, 1);
  const text = await untilFile(kept.log, /^(.*\n){400}$/);
  assert.deepEqual([...new Set(text.trimEnd().split('\n'))].sort(), ['err', 'out']);
});

test('each stream has its own file if they are named so', async (t) => {
  const folder = temporaryDirectory(t);
  const kept = keepShell(t, 'echo out; echo err >&2', { folder, flags: ['--stderr', join(folder, 'errors')] });
  await kept.ended;
  assert.equal(readFileSync(kept.log, 'utf8'), 'out\n');
  assert.equal(readFileSync(join(folder, 'errors'), 'utf8'), 'err\n');
});

test('a log is made with its mode whatever the umask, and appended to', async (t) => {
  const folder = temporaryDirectory(t);
  for (const word of ['first', 'second']) {
    const through = ['sh', '-c', 'umask 0777; exec "$@"', 'sh'];
    await keepShell(t, `echo ${word}`, { folder, flags: ['--log-mode', '0664'], through }).ended;
  }
  assert.equal(statSync(join(folder, 'log')).mode & 0o7777, 0o664);
  assert.equal(readFileSync(join(folder, 'log'), 'utf8'), 'first\nsecond\n');
});

test('what the program says last is written, and its last line gets an end', async (t) => {
  const kept = keepShell(t, 'seq 1 10000; printf last');
  await kept.ended;
  const lines = readFileSync(kept.log, 'utf8').split('\n');
  assert.deepEqual([lines.length, lines[9999], lines[10000], lines[10001]], [10002, '10000', 'last', '']);
});

test('a grandchild that holds the pipe keeps neither the keeper nor what is in the pipe', async (t) => {
  const kept = keepShell(t, 'sleep 1000 & echo $!; echo end');
  await kept.ended;
  const [orphan, end] = readFileSync(kept.log, 'utf8').split('\n');
  t.after(() => process.kill(Number(orphan), 'SIGKILL'));
  assert.equal(end, 'end');
});

test('a line longer than the buffer stays one line', async (t) => {
  const kept = keepShell(t, `head -c 200000 /dev/zero | tr '\\0' a; echo; echo end`);
  await kept.ended;
  assert.deepEqual(
    readFileSync(kept.log, 'utf8')
      .split('\n')
      .map((line) => line.length),
    [200_000, 3, 0],
  );
});

test('a line longer than the buffer splits none of the other stream', async (t) => {
  const long = `head -c 70000 /dev/zero | tr '\\0' a`;
  const kept = keepShell(t, `${long}; for i in 1 2 3; do echo "other $i" >&2; done; ${long}; echo; exec sleep 1000`);
  const text = await untilFile(kept.log, /other 3(.|\n)*a\n$/);
  const lines = text.split('\n');
  for (const i of [1, 2, 3]) assert.ok(lines.includes(`other ${i}`));
  assert.equal(text.replaceAll(/[^a]/g, '').length, 140_000);
});

test('/dev/null is left to the program itself', async (t) => {
  const kept = keepShell(t, STOPPED, { flags: ['--stdout', '/dev/null', '--stderr', '/dev/null'] });
  const program = await kept.program();
  await until('the shell is at rest', () => stat(program, 3) === 'T');
  assert.ok(openFiles(program).every((path) => !path.startsWith('pipe:')));
});

test('timestamps stand in front of every line, once', async (t) => {
  const script = `echo short; echo; head -c 70000 /dev/zero | tr '\\0' a; echo; printf unfinished`;
  const kept = keepShell(t, script, { flags: ['--timestamps'] });
  await kept.ended;
  const lines = readFileSync(kept.log, 'utf8').split('\n');
  const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;
  const texts = lines.slice(0, -1).map((line) => {
    assert.match(line, stamp);
    const at = Date.parse(line.slice(0, 24));
    assert.ok(Math.abs(Date.now() - at) < 60_000);
    return line.slice(25);
  });
  assert.deepEqual(texts, ['short', '', 'a'.repeat(70000), 'unfinished']);
});

test('SIGHUP reopens the logs: the next line goes to the new file', async (t) => {
  const kept = keepShell(t, `trap 'echo two; exec sleep 1000' USR1; echo one; while :; do sleep 0.01; done`);
  await untilFile(kept.log, 'one\n');
  renameSync(kept.log, `${kept.log}.1`);
  kept.keeper.kill('SIGHUP');
  await until('the new log is there', () => existsSync(kept.log));
  kept.keeper.kill('SIGUSR1');
  assert.equal(await untilFile(kept.log, '\n'), 'two\n');
  assert.equal(readFileSync(`${kept.log}.1`, 'utf8'), 'one\n');
});

test('a log that can’t be reopened goes on, with a note', async (t) => {
  const folder = temporaryDirectory(t);
  const logs = join(folder, 'logs');
  mkdirSync(logs);
  const log = join(logs, 'log');
  const script = `trap 'echo two' USR1; echo one; while :; do sleep 0.01; done`;
  const kept = keepShell(t, script, { folder, flags: ['--stdout', log, '--stderr', log] });
  await untilFile(log, 'one\n');
  const moved = join(folder, 'moved');
  renameSync(log, moved);
  rmdirSync(logs);
  kept.keeper.kill('SIGHUP');
  await untilFile(moved, 'posix-daemon: this log could not be opened again: No such file or directory\n');
  kept.keeper.kill('SIGUSR1');
  await untilFile(moved, /directory\ntwo\n$/);
});

test('with both pipes idle and nothing to tell the keeper waits without an end', needsRoot, async (t) => {
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000']);
  await kept.program();
  // The system call it is in, and its arguments: ppoll's third is the time, and there is none.
  const [, , , time] = await until('it waits', () => {
    const call = readFileSync(`/proc/${kept.pid}/syscall`, 'utf8').split(' ');
    return call.length > 4 && call;
  });
  assert.equal(time, '0x0');
});
