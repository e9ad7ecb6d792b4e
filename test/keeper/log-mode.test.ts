import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pipe } from 'posix-daemon';
import { keeperPath } from '#dist/daemon/keeper.js';
import { temporaryDirectory } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { lineOf, untilFile } from '../helpers/keeper.js';

/** A keeper that logs what is written to `fd`. */
function startLog(t: TestContext, options: { log?: string; flags?: string[] } = {}) {
  const folder = temporaryDirectory(t);
  const { log = join(folder, 'log'), flags = [] } = options;
  const [readFd, fd] = pipe();
  const [reportFd, tell] = pipe();
  const args = ['log', '--name', 'test', '--stdout', log, '--stdout-fd', '3', '--report-fd', '4', ...flags];
  const child = spawn(keeperPath(), args, { stdio: ['ignore', 'ignore', 'inherit', readFd, tell] });
  t.after(() => child.kill('SIGKILL'));
  closeSync(readFd);
  closeSync(tell);
  const ended = once(child, 'exit').then(([code]) => code);
  return { child, log, fd, ended, report: lineOf(reportFd).read() };
}

test('log mode says that it is ready, logs, and ends with the last writer', async (t) => {
  const { child, log, fd, ended, report } = startLog(t);
  assert.equal(await report, `ready ${child.pid}`);
  writeSync(fd, 'one\ntw');
  await untilFile(log, 'one\n');
  writeSync(fd, 'o\nlast');
  closeSync(fd);
  assert.equal(await ended, 0);
  assert.equal(readFileSync(log, 'utf8'), 'one\ntwo\nlast\n');
});

test('log mode is not ended by the signals of a shutdown, and shows its title', async (t) => {
  const { child, log, fd, ended, report } = startLog(t);
  await report;
  assert.equal(readFileSync(`/proc/${child.pid}/cmdline`, 'utf8'), 'posix-daemon: test (log)\0');
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) child.kill(signal);
  writeSync(fd, 'still here\n');
  closeSync(fd);
  assert.equal(await ended, 0);
  assert.equal(readFileSync(log, 'utf8'), 'still here\n');
});

test('log mode reopens on SIGHUP', async (t) => {
  const { child, log, fd, report } = startLog(t);
  await report;
  renameSync(log, `${log}.1`);
  child.kill('SIGHUP');
  await until('the new log is there', () => existsSync(log));
  writeSync(fd, 'new\n');
  assert.equal(await untilFile(log, '\n'), 'new\n');
  closeSync(fd);
});

test('log mode rotates by size', async (t) => {
  const { log, fd, ended } = startLog(t, { flags: ['--max-bytes', '4', '--backups', '1'] });
  writeSync(fd, 'one\ntwo\n');
  closeSync(fd);
  await ended;
  assert.deepEqual([readFileSync(`${log}.1`, 'utf8'), readFileSync(log, 'utf8')], ['one\n', 'two\n']);
});

test('a log that can’t be opened is reported by log mode', async (t) => {
  const { fd, ended, report } = startLog(t, { log: '/nowhere/log' });
  assert.equal(await report, `error ${constants.errno.ENOENT} open /nowhere/log`);
  assert.equal(await ended, 1);
  closeSync(fd);
});
