import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { asNobody, needsRoot, nullSeparated, start, startCat, stat, temporaryDirectory } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';

test('the arguments follow argv[0], which is the file', async (t) => {
  const { pid } = await startCat(t, { argv: ['-u', '', 'ü', '-'] });
  assert.deepEqual(nullSeparated(`/proc/${pid}/cmdline`), ['/bin/cat', '-u', '', 'ü', '-']);
});

test('a name without a slash is found in the PATH of the new environment', async (t) => {
  const { pid } = await start(t, 'cat', { env: { PATH: '/nowhere:/bin' } }, { env: { PATH: '/nowhere' } });
  assert.deepEqual(nullSeparated(`/proc/${pid}/cmdline`), ['cat']);
  assert.equal(realpathSync(`/proc/${pid}/exe`), realpathSync('/bin/cat'));
});

test('a name without a slash is found in the PATH of the caller where the new environment has none', async (t) => {
  const { pid } = await start(t, 'cat', { env: { A: 'b' } }, { env: { PATH: '/nowhere:/bin' } });
  assert.deepEqual(nullSeparated(`/proc/${pid}/cmdline`), ['cat']);
});

test('title is argv[0], which ps shows', async (t) => {
  const { pid } = await startCat(t, { title: 'my cat', argv: ['-'] });
  assert.equal(execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).trim(), 'my cat -');
});

test('argv0 wins over title', async (t) => {
  const { pid } = await startCat(t, { title: 'title', argv0: 'zero' });
  assert.deepEqual(nullSeparated(`/proc/${pid}/cmdline`), ['zero']);
});

test('env is the whole environment, without what is undefined', async (t) => {
  const { pid } = await startCat(t, { env: { A: '1', EMPTY: '', EQUALS: 'x=y' } });
  assert.deepEqual(nullSeparated(`/proc/${pid}/environ`), ['A=1', 'EMPTY=', 'EQUALS=x=y']);
});

test("the environment is the caller's by default", async (t) => {
  const { pid } = await startCat(t, {}, { env: { PATH: '/bin', ONE: 'two' } });
  assert.deepEqual(nullSeparated(`/proc/${pid}/environ`).sort(), ['ONE=two', 'PATH=/bin']);
});

test('cwd is the working directory, to which a file with a slash is relative', async (t) => {
  const { pid } = await start(t, './cat', { cwd: '/usr/bin' });
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/usr/bin');
});

test('chroot is the root directory, and the working directory is in it', needsRoot, async (t) => {
  const jail = temporaryDirectory(t);
  chmodSync(jail, 0o755);
  const libraries = execFileSync('ldd', ['/bin/cat'], { encoding: 'utf8' }).match(/\/\S+/g) ?? [];
  for (const path of ['/bin/cat', ...libraries]) {
    mkdirSync(join(jail, dirname(path)), { recursive: true });
    copyFileSync(path, join(jail, path));
    chmodSync(join(jail, path), 0o755);
  }
  const { pid } = await startCat(t, { chroot: jail, stdio: ['inherit', 'null'] });
  assert.equal(readlinkSync(`/proc/${pid}/root`), jail);
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), jail);
  const { pid: second } = await start(t, '../bin/cat', { chroot: jail, cwd: 'bin', uid: 65534, gid: 65534 });
  assert.equal(readlinkSync(`/proc/${second}/cwd`), join(jail, 'bin'));
});

test('uid, gid and groups replace every id', needsRoot, async (t) => {
  const { pid } = await startCat(t, { uid: 61234, gid: 61235, groups: [61236, 61237] });
  assert.equal(procStatus(pid, 'Uid'), '61234\t61234\t61234\t61234');
  assert.equal(procStatus(pid, 'Gid'), '61235\t61235\t61235\t61235');
  assert.equal(procStatus(pid, 'Groups'), '61236 61237');
  assert.equal(procStatus(pid, 'CapEff'), '0000000000000000');
});

test(
  'a user comes with its primary group and its supplementary groups, not with those of root',
  needsRoot,
  async (t) => {
    // One that has supplementary groups, if there is one.
    const members = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .flatMap((line) => line.split(':')[3]?.split(',') ?? []);
    const user = members.find((name) => name !== '' && name !== 'root') ?? 'nobody';
    const id = (option: string) => execFileSync('id', [option, user], { encoding: 'utf8' }).trim();
    const { pid } = await startCat(t, { uid: user });
    assert.equal(procStatus(pid, 'Uid')?.split('\t')[0], id('-u'));
    assert.equal(procStatus(pid, 'Gid')?.split('\t')[0], id('-g'));
    assert.deepEqual(procStatus(pid, 'Groups')?.split(' ').sort(), id('-G').split(' ').sort());
  },
);

test('a process that is the user already keeps its groups', needsRoot, async (t) => {
  const spawnOptions = { uid: 65534, gid: 61235 };
  const { pid } = await startCat(t, { uid: 65534 }, spawnOptions);
  assert.equal(procStatus(pid, 'Gid'), '61235\t61235\t61235\t61235');
});

test('a forkExec with another user leaves the caller dumpable, with its /proc files its own', needsRoot, async (t) => {
  const { parent } = await startCat(
    t,
    { uid: 61234, gid: 61234, groups: [] },
    {
      execPath: 'setpriv',
      execArgv: [
        '--reuid=65534',
        '--regid=65534',
        '--clear-groups',
        '--inh-caps=+setuid,+setgid',
        '--ambient-caps=+setuid,+setgid',
        process.execPath,
      ],
    },
  );
  assert.equal(statSync(`/proc/${parent.pid}/status`).uid, 65534);
});

test('umask is that of the program', async (t) => {
  const { pid } = await startCat(t, { umask: 0o027 });
  assert.equal(procStatus(pid, 'Umask'), '0027');
});

test('setsid makes the program the leader of a session without a terminal', async (t) => {
  const { pid } = await startCat(t, { setsid: true });
  assert.deepEqual([stat(pid, 5), stat(pid, 6), stat(pid, 7)], [String(pid), String(pid), '0']);
});

test("setpgid makes the program the leader of a group of the caller's session", async (t) => {
  const { pid, parent } = await startCat(t, { setpgid: true });
  assert.deepEqual([stat(pid, 5), stat(pid, 6)], [String(pid), stat(parent.pid, 6)]);
});

test('setpgid with a number joins that group', async (t) => {
  const group = Number(stat(process.pid, 5));
  const { pid, parent } = await startCat(t, { setpgid: group });
  assert.equal(stat(pid, 5), String(group));
  assert.equal(stat(parent.pid, 5), String(group));
});

test("the program stays in the caller's session and group by default", async (t) => {
  const { pid, parent } = await startCat(t, {}, { detached: true });
  assert.deepEqual([stat(pid, 5), stat(pid, 6)], [String(parent.pid), String(parent.pid)]);
});

test('ctty makes a terminal the one that controls the session', async (t) => {
  const openTerminal = `import os, pty, sys
master, terminal = pty.openpty()
os.dup2(terminal, 9)
os.set_inheritable(master, True)
os.execvp(sys.argv[1], sys.argv[1:])`;
  const python = { execPath: 'python3', execArgv: ['-c', openTerminal, process.execPath] };
  const { pid } = await startCat(t, { setsid: true, fds: { 5: 9 }, ctty: 5 }, python);
  assert.notEqual(stat(pid, 7), '0');
  assert.equal(stat(pid, 8), String(pid), 'it is in the foreground');
});

test('rlimits hold in the program and not in the caller', async (t) => {
  const limits = (pid: number, name: string) =>
    readFileSync(`/proc/${pid}/limits`, 'utf8')
      .match(new RegExp(`^Max ${name} +(\\S+) +(\\S+)`, 'm'))
      ?.slice(1);
  const { pid, parent } = await startCat(t, {
    rlimits: { nofile: { soft: 7, hard: 19 }, core: 0, cpu: { soft: 5, hard: 'Infinity' as never } },
  });
  assert.deepEqual(limits(pid, 'open files'), ['7', '19']);
  assert.deepEqual(limits(pid, 'core file size'), ['0', '0']);
  assert.deepEqual(limits(pid, 'cpu time'), ['5', 'unlimited']);
  assert.deepEqual(limits(parent.pid, 'open files'), limits(process.pid, 'open files'));
});

test('nice is the nice value itself', async (t) => {
  const { pid, parent } = await startCat(t, { nice: 7 });
  assert.equal(stat(pid, 19), '7');
  assert.equal(stat(parent.pid, 19), stat(process.pid, 19));
});

test('oomScoreAdj is that of the program, not of the caller whose memory it borrowed', async (t) => {
  const score = (pid: number) => readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim();
  const before = score(process.pid);
  const { pid, parent } = await startCat(t, { oomScoreAdj: 678 });
  assert.equal(score(pid), '678');
  assert.equal(score(parent.pid), before);
});

test('every signal has its default effect and none is blocked', async (t) => {
  const { pid, parent } = await startCat(t, {});
  assert.notEqual(procStatus(parent.pid, 'SigIgn'), '0000000000000000');
  for (const field of ['SigBlk', 'SigIgn', 'SigCgt']) assert.equal(procStatus(pid, field), '0000000000000000', field);
});

test('resetSignals: false leaves ignored signals ignored', async (t) => {
  const { pid, parent } = await startCat(t, { resetSignals: false });
  assert.equal(procStatus(pid, 'SigIgn'), procStatus(parent.pid, 'SigIgn'));
  assert.equal(procStatus(pid, 'SigCgt'), '0000000000000000');
});

test('signalMask is what the program blocks, exactly', async (t) => {
  const { pid, parent } = await startCat(t, { signalMask: ['SIGUSR1', 2, 'SIGRTMIN+1', 64] });
  const bits = [10, 2, 35, 64].reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n);
  assert.equal(procStatus(pid, 'SigBlk'), bits.toString(16).padStart(16, '0'));
  await until('the caller takes signals again', () => procStatus(parent.pid, 'SigBlk') === '0000000000000000');
});

test('all of it together works for an ordinary user', needsRoot, async (t) => {
  const { pid } = await startCat(
    t,
    { uid: 65534, gid: 65534, cwd: '/', umask: 0o077, nice: 5, oomScoreAdj: 500, setsid: true, rlimits: { core: 0 } },
    asNobody,
  );
  assert.equal(procStatus(pid, 'Uid'), '65534\t65534\t65534\t65534');
  assert.equal(stat(pid, 6), String(pid));
});
