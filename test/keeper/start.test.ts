import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasEnded, needsRoot, nullSeparated, stat, temporaryDirectory } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';
import { isLocked, keep, keepShell, openFiles, STOPPED, untilFile } from '../helpers/keeper.js';

const { ENOENT, ENOTDIR, ENXIO, EINVAL, ELOOP, EACCES, EPERM } = constants.errno;

test('ready names the program, the pid file the keeper', async (t) => {
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000']);
  const program = await kept.program();
  assert.deepEqual(nullSeparated(`/proc/${program}/cmdline`), ['sleep', '1000']);
  assert.equal(readFileSync(kept.pidFile, 'utf8'), `${kept.pid}\n`);
  assert.equal(procStatus(program, 'PPid'), String(kept.pid));
});

test('a longer number in the pid file leaves nothing behind the new one', async (t) => {
  const folder = temporaryDirectory(t);
  writeFileSync(join(folder, 'pid'), '99999999999999\n');
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000'], { folder });
  await kept.program();
  assert.equal(readFileSync(kept.pidFile, 'utf8'), `${kept.pid}\n`);
});

test('the status file tells who runs, since when and in which boot', async (t) => {
  const before = Date.now();
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000']);
  const program = await kept.program();
  const { 'started-at': startedAt, ...status } = kept.status();
  assert.deepEqual(status, {
    state: 'running',
    pid: String(program),
    'start-ticks': stat(program, 22),
    'boot-id': readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  });
  assert.ok(Number(startedAt) >= before && Number(startedAt) <= Date.now());
  assert.equal(statSync(join(kept.folder, 'status')).mode & 0o777, 0o600);
});

test('its title is all that ps shows of the keeper', async (t) => {
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000']);
  await kept.program();
  assert.equal(readFileSync(`/proc/${kept.pid}/cmdline`, 'utf8'), 'posix-daemon: test\0');
  assert.equal(readFileSync(`/proc/${kept.pid}/comm`, 'utf8'), 'posix-daemon\n');
  assert.ok(nullSeparated(`/proc/${kept.pid}/environ`).some((entry) => entry.startsWith('PATH=')));
});

test('the program gets 0 to 2 and none of what the keeper was handed', async (t) => {
  const kept = keepShell(t, STOPPED);
  const program = await kept.program();
  await until('the shell is at rest', () => stat(program, 3) === 'T');
  assert.deepEqual(readdirSync(`/proc/${program}/fd`), ['0', '1', '2']);
  assert.equal(openFiles(program).filter((path) => path === '/dev/null').length, 1);
});

test('the lock lives as long as the keeper, not as its program', async (t) => {
  const kept = keepShell(t, 'sleep 1000 & echo $!; exec sleep 1000');
  await kept.program();
  assert.ok(isLocked(kept.pidFile));
  const orphan = Number(await untilFile(kept.log, '\n'));
  t.after(() => process.kill(orphan, 'SIGKILL'));
  kept.keeper.kill('SIGKILL');
  await kept.ended;
  assert.ok(!hasEnded(orphan));
  assert.ok(!isLocked(kept.pidFile));
});

test('the program starts with default signals, none blocked, and tied to the keeper', async (t) => {
  const through = ['/bin/bash', '-c', `trap '' HUP CHLD USR1 TERM; exec "$@"`, 'bash'];
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000'], { through });
  const program = await kept.program();
  for (const field of ['SigBlk', 'SigIgn', 'SigCgt']) assert.match(procStatus(program, field) ?? '', /^0+$/);
  kept.keeper.kill('SIGKILL');
  await until('the program has ended', () => hasEnded(program));
});

const failures: [what: string, program: string[], flags: string[], report: string][] = [
  ['no program', ['/nowhere/x', 'x'], [], `error ${ENOENT} execve /nowhere/x`],
  ['a program that may not be run', ['/etc/passwd', 'x'], [], `error ${EACCES} execve /etc/passwd`],
  ['no working directory', ['/bin/true', 'true'], ['--chdir', '/nowhere'], `error ${ENOENT} chdir /nowhere`],
  ['no input', ['/bin/true', 'true'], ['--stdin', '/nowhere'], `error ${ENOENT} open /nowhere`],
  ['a log in no directory', ['/bin/true', 'true'], ['--stderr', '/nowhere/x'], `error ${ENOENT} open /nowhere/x`],
  ['a log behind a file', ['/bin/true', 'true'], ['--stderr', '/etc/passwd/x'], `error ${ENOTDIR} open /etc/passwd/x`],
  [
    'a status file in no directory',
    ['/bin/true', 'true'],
    ['--status-file', '/nowhere/x'],
    `error ${ENOENT} write /nowhere/x`,
  ],
  ['a soft limit above the hard', ['/bin/true', 'true'], ['--rlimit', '4=2:1'], `error ${EINVAL} setrlimit `],
];
for (const [what, program, flags, report] of failures) {
  test(`${what} is reported with errno, step and path, and leaves neither lock nor file`, async (t) => {
    const kept = keep(t, program, { flags });
    assert.equal(await kept.report(), report);
    assert.deepEqual(
      readdirSync(kept.folder).filter((name) => name !== 'log'),
      [],
    );
    assert.equal((await kept.ended).code, 1);
  });
}

test('whoever hears of a failure finds the lock free', async (t) => {
  const folder = temporaryDirectory(t);
  for (let round = 0; round < 5; round++) {
    const kept = keep(t, ['/nowhere/x', 'x'], { folder });
    await kept.report();
  }
});

const hostile: [what: string, make: string, errno: number][] = [
  ['a link', 'ln -s /etc/passwd', ELOOP],
  ['a link to nothing', 'ln -s /nowhere', ELOOP],
  ['a FIFO that nobody reads', 'mkfifo', ENXIO],
];
for (const [what, make, errno] of hostile) {
  test(`${what} in the log's place is refused`, async (t) => {
    const folder = temporaryDirectory(t);
    const log = join(folder, 'log');
    const kept = keep(t, ['/bin/true', 'true'], { folder, through: ['sh', '-c', `${make} ${log}; exec "$@"`, 'sh'] });
    assert.equal(await kept.report(), `error ${errno} open ${log}`);
  });
}

test('a log that another user made in a folder that all can write is refused', needsRoot, async (t) => {
  const folder = temporaryDirectory(t);
  const log = join(folder, 'log');
  writeFileSync(log, '');
  chownSync(log, 65534, 65534);
  chmodSync(folder, 0o1777);
  assert.equal(await keep(t, ['/bin/true', 'true'], { folder }).report(), `error ${EPERM} open ${log}`);
});

test('a log with a second name in a folder that all can write is refused', async (t) => {
  const folder = temporaryDirectory(t);
  const log = join(folder, 'log');
  writeFileSync(join(folder, 'other'), '');
  linkSync(join(folder, 'other'), log);
  chmodSync(folder, 0o1777);
  assert.equal(await keep(t, ['/bin/true', 'true'], { folder }).report(), `error ${EPERM} open ${log}`);
});

test('a log that an administrator gave another user in root’s folder is used', needsRoot, async (t) => {
  const folder = temporaryDirectory(t);
  const log = join(folder, 'log');
  writeFileSync(log, '');
  chownSync(log, 65534, 65534);
  await keepShell(t, 'echo said', { folder }).ended;
  assert.equal(readFileSync(log, 'utf8'), 'said\n');
});

test('with --up-ms a program that ends sooner is reported with its exit code', async (t) => {
  const kept = keepShell(t, 'exit 7', { flags: ['--up-ms', '60000'] });
  assert.equal(await kept.report(), 'exited 7');
  assert.deepEqual(readdirSync(kept.folder), ['log']);
});

test('with --up-ms a program that is killed sooner is reported with the signal', async (t) => {
  const kept = keepShell(t, 'kill -ABRT $$', { flags: ['--up-ms', '60000'] });
  assert.equal(await kept.report(), `killed ${constants.signals.SIGABRT}`);
  assert.deepEqual(readdirSync(kept.folder), ['log']);
});

test('with --up-ms the program is ready once it has stayed up', async (t) => {
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000'], { flags: ['--up-ms', '50'] });
  assert.ok((await kept.program()) > 0);
  assert.equal(kept.status().state, 'running');
});

test('the program of several that ended first is the one that is reported', async (t) => {
  const script = '[ $WORKER_INDEX = 2 ] && exit 3; exec sleep 1000';
  const { report } = keepShell(t, script, { flags: ['--workers', '3', '--tree', '--up-ms', '200'] });
  assert.equal(await report(), 'exited 3');
});

test('a starter that is gone while the program is on trial takes it along', async (t) => {
  const kept = keepShell(t, 'echo $$; exec sleep 1000', { flags: ['--up-ms', '60000'] });
  const program = Number(await untilFile(kept.log, '\n'));
  kept.leave();
  assert.equal((await kept.ended).signal, null);
  assert.ok(hasEnded(program));
  assert.deepEqual(readdirSync(kept.folder), ['log']);
});

test('a starter that is gone while the program is being started takes it along', async (t) => {
  const folder = temporaryDirectory(t);
  const fifo = join(folder, 'fifo');
  const through = ['sh', '-c', `mkfifo ${fifo}; exec "$@"`, 'sh'];
  // The child waits for a writer of its input, and never gets to its exec.
  const kept = keep(t, ['/bin/true', 'true'], { folder, flags: ['--stdin', fifo], through });
  await until('the keeper waits', () => existsSync(join(folder, 'status')));
  kept.leave();
  await kept.ended;
  assert.deepEqual(readdirSync(folder).sort(), ['fifo', 'log']);
});

test('a starter that is gone at once leaves no program', async (t) => {
  const kept = keepShell(t, 'echo ran; exec sleep 1000', { flags: ['--up-ms', '10'] });
  kept.leave();
  await kept.ended;
  assert.deepEqual(readdirSync(kept.folder), ['log']);
});

test('as root the program gets ids, groups, limits, niceness, umask, root and directory', needsRoot, async (t) => {
  const flags = ['--uid', '65534', '--gid', '65533', '--groups', '11,12', '--rlimit', '7=100:200', '--nice', '5'];
  const more = ['--umask', '027', '--chroot', '/', '--chdir', '/usr', '--log-owner', '65534:65533'];
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000'], { flags: [...flags, ...more] });
  const program = await kept.program();
  const ids = (id: number) => Array(4).fill(id).join('\t');
  assert.equal(procStatus(program, 'Uid'), ids(65534));
  assert.equal(procStatus(program, 'Gid'), ids(65533));
  assert.equal(procStatus(program, 'Groups'), '11 12');
  assert.equal(procStatus(program, 'Umask'), '0027');
  assert.equal(stat(program, 19), '5');
  assert.match(readFileSync(`/proc/${program}/limits`, 'utf8'), /Max open files +100 +200/);
  assert.deepEqual([statSync(kept.log).uid, statSync(kept.log).gid], [65534, 65533]);
  kept.keeper.kill('SIGKILL');
  await until('the program, though it changed its user, has ended', () => hasEnded(program));
});

test('a program of another user can open its standard output again', needsRoot, async (t) => {
  const flags = ['--uid', '65534', '--gid', '65534', '--groups', ''];
  const kept = keepShell(t, 'echo written >/dev/stdout; exec sleep 1000', { flags });
  await kept.program();
  assert.equal(await untilFile(kept.log, '\n'), 'written\n');
});
