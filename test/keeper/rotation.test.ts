import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../helpers/exec.js';
import { fixturePath, until } from '../helpers/fixture.js';
import { type KeepOptions, keep, keepShell, untilFile } from '../helpers/keeper.js';
import { assertAll, numbersIn } from '../helpers/lines.js';
import { filesOf, needsLogrotate, rotateUntil } from '../helpers/rotation.js';

const PER_SECOND = 50_000;
const DURATION_MS = 2000;
const ALL = (PER_SECOND * DURATION_MS) / 1000;

function keepChatter(t: TestContext, options: KeepOptions = {}) {
  const program = [process.execPath, 'node', fixturePath('chatter'), String(PER_SECOND), String(DURATION_MS)];
  return keep(t, program, options);
}

test('rotated by size while 50,000 lines a second come, every line is there once and whole', async (t) => {
  const kept = keepChatter(t, { flags: ['--max-bytes', '100000', '--backups', '1000'] });
  await kept.ended;
  const files = filesOf(kept.log);
  assertAll(numbersIn(...files), ALL);
  assert.ok(files.length > 50, `${files.length} files`);
  for (const file of files) assert.ok(statSync(file).size <= 100_000, file);
});

test('rotated by rename and SIGHUP while 50,000 lines a second come, every line is there once and whole', async (t) => {
  const kept = keepChatter(t);
  const files: string[] = [];
  for (let round = 0; kept.keeper.exitCode === null; round++) {
    const moved = `${kept.log}.${String(round).padStart(4, '0')}`;
    if (existsSync(kept.log)) {
      renameSync(kept.log, moved);
      files.push(moved);
      kept.keeper.kill('SIGHUP');
    }
    await until('the new log is there', () => existsSync(kept.log) || kept.keeper.exitCode !== null);
  }
  await kept.ended;
  assertAll(numbersIn(...files, ...(existsSync(kept.log) ? [kept.log] : [])), ALL);
  assert.ok(files.length > 20, `${files.length} files`);
});

function rotateUntilEnd({ keeper, folder, log }: ReturnType<typeof keep>, directives: string): Promise<number> {
  return rotateUntil(() => keeper.exitCode !== null, folder, log, directives);
}

test('logrotate with create and SIGHUP, under load: every line is there once and whole', needsLogrotate, async (t) => {
  const kept = keepChatter(t);
  await kept.program();
  const rounds = await rotateUntilEnd(kept, `create 0640\npostrotate\n  kill -HUP ${kept.pid}\nendscript`);
  await kept.ended;
  assert.ok(rounds > 5, `${rounds} rounds`);
  assertAll(numbersIn(...filesOf(kept.log)), ALL);
});

test('logrotate with copytruncate, under load: no hole of zeros and no split line', needsLogrotate, async (t) => {
  const kept = keepChatter(t);
  await kept.program();
  const rounds = await rotateUntilEnd(kept, 'copytruncate');
  await kept.ended;
  assert.ok(rounds > 5, `${rounds} rounds`);
  const numbers = numbersIn(...filesOf(kept.log));
  for (let i = 1; i < numbers.length; i++) assert.ok((numbers[i - 1] as number) < (numbers[i] as number));
});

test('as many backups stay as asked for, the newest with the lowest number', async (t) => {
  const kept = keepShell(t, 'for i in 1 2 3 4 5; do echo "line $i"; done', {
    flags: ['--max-bytes', '7', '--backups', '2'],
  });
  await kept.ended;
  assert.deepEqual(
    readdirSync(kept.folder).filter((name) => name.startsWith('log')),
    ['log', 'log.1', 'log.2'],
  );
  assert.deepEqual(
    filesOf(kept.log).map((file) => readFileSync(file, 'utf8')),
    ['line 3\n', 'line 4\n', 'line 5\n'],
  );
});

test('without backups the file is emptied', async (t) => {
  const kept = keepShell(t, 'for i in 1 2 3 4 5; do echo "line $i"; done', { flags: ['--max-bytes', '14'] });
  await kept.ended;
  assert.equal(readFileSync(kept.log, 'utf8'), 'line 5\n');
});

test('a line longer than the limit is whole, in a file of its own', async (t) => {
  const long = `head -c 200000 /dev/zero | tr '\\0' a; echo`;
  const kept = keepShell(t, `echo one; ${long}; echo two`, { flags: ['--max-bytes', '1000', '--backups', '9'] });
  await kept.ended;
  assert.deepEqual(
    filesOf(kept.log).map((file) => readFileSync(file, 'utf8').length),
    [4, 200_001, 4],
  );
});

test('a log that is already too large is rotated at the first line', async (t) => {
  const folder = temporaryDirectory(t);
  writeFileSync(join(folder, 'log'), 'old '.repeat(10));
  await keepShell(t, 'echo new', { folder, flags: ['--max-bytes', '20', '--backups', '1'] }).ended;
  assert.equal(readFileSync(join(folder, 'log'), 'utf8'), 'new\n');
  assert.equal(readFileSync(join(folder, 'log.1'), 'utf8').length, 40);
});

test('a log that somebody else has moved away is not moved again', async (t) => {
  const script = `trap 'echo two' USR1; echo one; while :; do sleep 0.01; done`;
  const kept = keepShell(t, script, { flags: ['--max-bytes', '5', '--backups', '3'] });
  await untilFile(kept.log, 'one\n');
  renameSync(kept.log, join(kept.folder, 'moved'));
  writeFileSync(kept.log, '', { mode: 0o600 });
  kept.keeper.kill('SIGUSR1');
  assert.equal(await untilFile(kept.log, '\n'), 'two\n');
  assert.ok(!existsSync(`${kept.log}.1`));
});

test('a log that can’t be rotated goes on, with a note, and its backups stay', async (t) => {
  const folder = temporaryDirectory(t);
  const log = join(folder, 'log');
  // A folder with something in it can't be renamed over.
  spawnSync('mkdir', ['-p', `${log}.1/full`]);
  const script = 'for i in 1 2 3 4 5; do echo "line $i"; done';
  await keepShell(t, script, { folder, flags: ['--max-bytes', '14', '--backups', '1'] }).ended;
  const text = readFileSync(log, 'utf8');
  for (let i = 1; i <= 5; i++) assert.ok(text.includes(`line ${i}\n`), text);
  assert.match(text, /^posix-daemon: this log could not be rotated: Is a directory$/m);
  rmSync(`${log}.1`, { recursive: true });
});
