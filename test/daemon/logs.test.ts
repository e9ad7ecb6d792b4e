import assert from 'node:assert/strict';
import { constants, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findDaemon, type LogOptions, type RunningDaemon } from 'posix-daemon';
import { temporaryDirectory } from '../helpers/exec.js';
import { runFixture, until } from '../helpers/fixture.js';
import { assertAll, numbersIn } from '../helpers/lines.js';
import { filesOf, needsLogrotate, rotateUntil } from '../helpers/rotation.js';

const PER_SECOND = 50_000;
const DURATION_MS = 2000;
const ALL = (PER_SECOND * DURATION_MS) / 1000;

/** It may end, having written all, between any look and the signal. */
function signalUnlessGone(daemon: RunningDaemon, signal = 'SIGHUP'): void {
  try {
    daemon.signal(signal);
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
  }
}

/** Starts a daemon that writes 50,000 lines a second to a log of its own for two seconds. */
async function startChatter(t: TestContext, options: Omit<LogOptions, 'path'> = {}) {
  const folder = temporaryDirectory(t);
  const log = join(folder, 'log');
  const target = JSON.stringify(Object.keys(options).length > 0 ? { path: log, ...options } : log);
  const args = [folder, target, `${PER_SECOND}`, `${DURATION_MS}`, 'whole'];
  const { code, stderr } = await runFixture(t, 'daemon-chatter', args);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  const daemon = findDaemon(join(folder, 'pid'));
  assert.ok(daemon, 'it runs');
  let over = false;
  const ended = daemon.wait().then(() => {
    over = true;
  });
  t.after(async () => {
    if (!over) signalUnlessGone(daemon, 'SIGKILL');
    await ended;
    daemon.close();
  });
  return { folder, log, daemon, ended, isOver: () => over };
}

test('a log that is moved away and reopened by SIGHUP at 50,000 lines a second loses and splits none', async (t) => {
  const { log, daemon, ended, isOver } = await startChatter(t);
  const files: string[] = [];
  while (!isOver()) {
    if (existsSync(log)) {
      const moved = `${log}.${String(files.length).padStart(4, '0')}`;
      renameSync(log, moved);
      files.push(moved);
      signalUnlessGone(daemon);
    }
    await until('the new log is there', () => existsSync(log) || isOver());
  }
  await ended;
  assertAll(numbersIn(...files, ...(existsSync(log) ? [log] : [])), ALL);
  assert.ok(files.length > 20, `${files.length} files`);
});

test(
  'logrotate with create and SIGHUP at 50,000 lines a second: every line is there, whole',
  needsLogrotate,
  async (t) => {
    const { folder, log, daemon, isOver } = await startChatter(t);
    // The daemon may end between the rotation and the signal.
    const hangup = `postrotate\n  kill -HUP ${daemon.pid} || true\nendscript`;
    const rounds = await rotateUntil(isOver, folder, log, `create 0640\n${hangup}`);
    assertAll(numbersIn(...filesOf(log)), ALL);
    assert.ok(rounds > 5, `${rounds} rounds`);
    assert.equal(readFileSync(join(folder, 'errors'), 'utf8'), '');
  },
);

test('logrotate with copytruncate leaves no hole of zeros in a log', needsLogrotate, async (t) => {
  const { folder, log, isOver } = await startChatter(t);
  await rotateUntil(isOver, folder, log, 'copytruncate');
  for (const file of filesOf(log)) assert.ok(!readFileSync(file).includes(0), file);
});

test('the pipe to a log with maxBytes blocks, although the starter had a pipe, too', async (t) => {
  const { daemon } = await startChatter(t, { maxBytes: 100_000 });
  const [, flags = ''] = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/${daemon.pid}/fdinfo/1`, 'latin1')) ?? [];
  assert.equal(Number.parseInt(flags, 8) & constants.O_NONBLOCK, 0);
});

test('a log with maxBytes is rotated by size at 50,000 lines a second, every line whole', async (t) => {
  const { log, ended } = await startChatter(t, { maxBytes: 100_000, backups: 1000 });
  await ended;
  const last = `${String(ALL - 1).padStart(8, '0')} `;
  // The process that writes the log outlives the daemon until it has written all.
  await until('the last line is there', () => readFileSync(log, 'latin1').includes(last));
  const files = filesOf(log);
  assertAll(numbersIn(...files), ALL);
  assert.ok(files.length > 50, `${files.length} files`);
  for (const file of files) assert.ok(statSync(file).size <= 100_000, file);
});
