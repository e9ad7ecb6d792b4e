import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isRoot, temporaryDirectory } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { keep, keepShell, untilFile } from '../helpers/keeper.js';

const UNSHARE = ['unshare', ...(isRoot ? [] : ['--user', '--map-root-user']), '--mount'];
const refused = spawnSync(UNSHARE[0] as string, [...UNSHARE.slice(1), 'mount', '-t', 'tmpfs', 'none', '/mnt']);
const needsMounts = { skip: refused.status === 0 ? false : `no mount namespace: ${refused.stderr}` };

/** A command that runs another where `folder` is a file system of this size, with most of it taken by a file. */
function onSmallDisk(folder: string): string[] {
  const script = `mount -t tmpfs -o size=256k none ${folder}; head -c 160000 /dev/zero >${folder}/filler; exec "$@"`;
  return [...UNSHARE, 'sh', '-c', script, 'sh'];
}

/** The sum of all lines that notes say are missing. */
function lacking(text: string): number {
  const notes = text.matchAll(/^posix-daemon: this log lacks (\d+) lines?: No space left on device$/gm);
  return [...notes].reduce((sum, [, count]) => sum + Number(count), 0);
}

test('on a full disk the program goes on, and later the log tells how many lines it lacks', needsMounts, async (t) => {
  const folder = temporaryDirectory(t);
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const log = join(disk, 'log');
  const written = join(folder, 'written');
  const count = 20_000;
  const script = `trap 'echo after' USR1; seq -f 'line %06g of many' 1 ${count}; echo all >${written}; while :; do sleep 0.01; done`;
  const flags = ['--stdout', log, '--stderr', log];
  const kept = keepShell(t, script, { folder, flags, through: onSmallDisk(disk) });
  await kept.program();
  await untilFile(written, 'all');
  const seen = `/proc/${kept.pid}/root${disk}`;
  rmSync(join(seen, 'filler'));
  await untilFile(join(seen, 'log'), /this log lacks \d+ lines: No space left on device\n/);
  kept.keeper.kill('SIGUSR1');
  const text = await untilFile(join(seen, 'log'), 'after\n');
  const lines = text.split('\n').filter((line) => !line.startsWith('posix-daemon: '));
  assert.deepEqual(lines.splice(-2), ['after', '']);
  for (const line of lines) assert.match(line, /^line \d{6} of many$/);
  assert.equal(lines.length + lacking(text), count);
  assert.ok(lines.length > 1000 && lines.length < count);
});

test('a disk that is full at the start is reported', needsMounts, async (t) => {
  const folder = temporaryDirectory(t);
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const through = [...onSmallDisk(disk).slice(0, -1), 'sh', 'sh', '-c', `cat /dev/zero >${disk}/more; exec "$@"`, 'sh'];
  const status = join(disk, 'status');
  const kept = keep(t, ['/bin/true', 'true'], { folder, flags: ['--status-file', status], through });
  assert.equal(await kept.report(), `error ${constants.errno.ENOSPC} write ${status}`);
});

test('at the limit for a file’s size the begin of a line is taken back', async (t) => {
  const through = ['/bin/bash', '-c', 'ulimit -f 8; exec "$@"', 'bash'];
  const kept = keepShell(t, 'for i in $(seq 1 9999); do echo "line $i"; done', { through });
  assert.equal((await kept.ended).code, 0);
  const text = readFileSync(kept.log, 'utf8');
  assert.ok(text.length > 8000 && text.length <= 8192);
  for (const [i, line] of text.trimEnd().split('\n').entries()) assert.equal(line, `line ${i + 1}`);
  assert.ok(text.endsWith('\n'));
});

test('a device that takes nothing neither blocks nor ends the program', async (t) => {
  const kept = keepShell(t, 'seq 1 100000; exit 3', { flags: ['--stdout', '/dev/full', '--stderr', '/dev/full'] });
  await kept.ended;
  assert.equal(kept.status()['exit-code'], '3');
});

test('the end of a daemon on a full disk is still its end', needsMounts, async (t) => {
  const folder = temporaryDirectory(t);
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  const flags = ['--status-file', join(disk, 'status')];
  const script = `trap 'cat /dev/zero >${disk}/more; exec sleep 1000' USR1; echo up; while :; do sleep 0.01; done`;
  const kept = keepShell(t, script, { folder, flags, through: onSmallDisk(disk) });
  const program = await kept.program();
  await untilFile(kept.log, 'up');
  kept.keeper.kill('SIGUSR1');
  await until('the program is sleep', () => readFileSync(`/proc/${program}/comm`, 'utf8') === 'sleep\n');
  kept.keeper.kill('SIGTERM');
  assert.equal((await kept.ended).code, 0);
});
