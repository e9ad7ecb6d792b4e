import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ForkExecOptions, forkExec } from 'posix-daemon';
import { asNobody, failure, needsRoot, temporaryDirectory } from '../helpers/exec.js';
import { startFixture } from '../helpers/fixture.js';

const NO_GROUP = 0x7ffffffe;

type Case = [what: string, file: string, options: ForkExecOptions, code: string, step: string, path?: string];

const cases: Case[] = [
  ['a group that does not exist', '/bin/true', { setpgid: NO_GROUP }, 'EPERM', 'setpgid'],
  ['a log in no directory', '/bin/true', { stdio: [0, '/nowhere/log'] }, 'ENOENT', 'open', '/nowhere/log'],
  ['a directory for a log', '/bin/true', { stdio: [0, 1, '/tmp'] }, 'EISDIR', 'open', '/tmp'],
  ['a closed source', '/bin/true', { fds: { 3: 999 } }, 'EBADF', 'dup'],
  ['a terminal that is none', '/bin/true', { setsid: true, ctty: true, stdio: ['null'] }, 'ENOTTY', 'ioctl'],
  ['a soft limit above the hard', '/bin/true', { rlimits: { core: { soft: 2, hard: 1 } } }, 'EINVAL', 'setrlimit'],
  ['no working directory', '/bin/true', { cwd: '/nowhere' }, 'ENOENT', 'chdir', '/nowhere'],
  ['a file for a working directory', '/bin/true', { cwd: '/etc/passwd' }, 'ENOTDIR', 'chdir', '/etc/passwd'],
  ['no program', '/nowhere/program', {}, 'ENOENT', 'execve', '/nowhere/program'],
  ['a directory for a program', '/tmp', {}, 'EACCES', 'execve', '/tmp'],
  ['a file that may not be executed', '/etc/passwd', {}, 'EACCES', 'execve', '/etc/passwd'],
];

const rootCases: Case[] = [
  ['no root directory', '/bin/true', { chroot: '/nowhere' }, 'ENOENT', 'chroot', '/nowhere'],
  [
    'a directory that is closed to the new user',
    '/bin/true',
    { uid: 65534, gid: 65534, cwd: '/root' },
    'EACCES',
    'chdir',
    '/root',
  ],
];

const nobodyCases: Case[] = [
  ['another user', '/bin/true', { uid: 0 }, 'EPERM', 'setuid'],
  ['another group', '/bin/true', { gid: 0 }, 'EPERM', 'setgid'],
  ['other groups', '/bin/true', { groups: [0] }, 'EPERM', 'setgroups'],
  ['another root', '/bin/true', { chroot: '/' }, 'EPERM', 'chroot', '/'],
  ['a lower nice value', '/bin/true', { nice: -5 }, 'EACCES', 'setpriority'],
  ['a lower OOM score', '/bin/true', { oomScoreAdj: -1000 }, 'EACCES', 'oom_score_adj', '/proc/self/oom_score_adj'],
];

function defineCases(who: string, list: Case[], testOptions: { skip?: string | boolean }, fixtureOptions: object) {
  for (const [what, file, options, code, step, path] of list) {
    test(`${who}: ${what} fails with ${code} in ${step}`, testOptions, async (t) => {
      const seen = await failure(t, file, options, fixtureOptions);
      const errno = -constants.errno[code as keyof typeof constants.errno];
      assert.deepEqual(
        { ...seen, message: '' },
        { code, errno, syscall: 'forkExec', step, ...(path && { path }), message: '' },
      );
      assert.match(seen.message, new RegExp(`^${code}: .*, forkExec \\(${step}\\)`));
    });
  }
}

defineCases('anyone', cases, {}, {});
defineCases('root', rootCases, needsRoot, {});
defineCases('an ordinary user', nobodyCases, needsRoot, asNobody);

test('a script without a #! line is ENOEXEC: no shell runs it', async (t) => {
  const script = join(temporaryDirectory(t), 'script');
  writeFileSync(script, 'echo ran\n');
  chmodSync(script, 0o755);
  const { code, step } = await failure(t, script, {});
  assert.deepEqual([code, step], ['ENOEXEC', 'execve']);
});

test('a process that may make no other fails with EAGAIN in clone', needsRoot, async (t) => {
  // The limit comes when Node has its threads. A user of its own, for the kernel counts all processes of one.
  const parent = startFixture(t, 'exec-later', [], { uid: 61301, gid: 61301 });
  await parent.line();
  execFileSync('prlimit', ['--pid', String(parent.pid), '--nproc=1:1'], { uid: 61301, gid: 61301 });
  parent.child.stdin?.write('go\n');
  const { code, step } = JSON.parse(await parent.line());
  assert.deepEqual([code, step], ['EAGAIN', 'clone']);
});

test('a name that no directory of PATH has is ENOENT, before anything is done', async (t) => {
  const seen = await failure(t, 'no-such-program', { env: { PATH: '/bin:/usr/bin' } });
  assert.deepEqual(
    [seen.code, seen.syscall, seen.step, seen.path],
    ['ENOENT', 'forkExec', undefined, 'no-such-program'],
  );
});

test('a name that PATH has only as a file that may not be executed is EACCES', async (t) => {
  assert.equal((await failure(t, 'passwd', { env: { PATH: '/nowhere:/etc' } })).code, 'EACCES');
});

test('a name found in a relative directory of PATH is refused', async (t) => {
  const { code, path } = await failure(t, 'cat', { env: { PATH: 'bin' } }, { cwd: '/usr' });
  assert.deepEqual([code, path], ['ERR_RELATIVE_PATH', 'bin/cat']);
});

const bad: [what: string, call: () => unknown, code: string, names: string][] = [
  ['no file', () => forkExec(undefined as never), 'ERR_INVALID_ARG_TYPE', 'file'],
  ['an empty file', () => forkExec(''), 'ERR_INVALID_ARG_VALUE', 'file'],
  ['a file with a null byte', () => forkExec('a\0b'), 'ERR_INVALID_ARG_VALUE', 'file'],
  ['a misspelt option', () => forkExec('/x', { setSid: true } as never), 'ERR_INVALID_ARG_VALUE', 'setSid'],
  ['options that are none', () => forkExec('/x', null as never), 'ERR_INVALID_ARG_TYPE', 'options'],
  [
    'an argument that is no string',
    () => forkExec('/x', { argv: ['a', 1] as never }),
    'ERR_INVALID_ARG_TYPE',
    'argv\\[1\\]',
  ],
  ['a variable that is no string', () => forkExec('/x', { env: { A: 1 } as never }), 'ERR_INVALID_ARG_TYPE', 'env.A'],
  ['a variable with = in its name', () => forkExec('/x', { env: { 'A=B': 'c' } }), 'ERR_INVALID_ARG_VALUE', 'env'],
  ['an unknown user', () => forkExec('/x', { uid: 'no-such-user' }), 'ERR_INVALID_ARG_VALUE', 'no-such-user'],
  ['an unknown group', () => forkExec('/x', { gid: 'no-such-group' }), 'ERR_INVALID_ARG_VALUE', 'no-such-group'],
  [
    'an unknown group in a list',
    () => forkExec('/x', { groups: ['no-such-group'] }),
    'ERR_INVALID_ARG_VALUE',
    'groups\\[0\\]',
  ],
  ['the id -1', () => forkExec('/x', { uid: 0xffffffff }), 'ERR_OUT_OF_RANGE', 'uid'],
  ['a wide umask', () => forkExec('/x', { umask: 0o1000 }), 'ERR_OUT_OF_RANGE', 'umask'],
  ['a fourth standard descriptor', () => forkExec('/x', { stdio: [0, 1, 2, 3] }), 'ERR_INVALID_ARG_VALUE', 'stdio'],
  ['a negative source', () => forkExec('/x', { stdio: [-1] }), 'ERR_OUT_OF_RANGE', 'stdio\\[0\\]'],
  ['a standard descriptor as a target', () => forkExec('/x', { fds: { 2: 1 } }), 'ERR_OUT_OF_RANGE', 'fds'],
  ['a target that is no number', () => forkExec('/x', { fds: { a: 1 } as never }), 'ERR_OUT_OF_RANGE', 'fds'],
  ['setpgid with setsid', () => forkExec('/x', { setsid: true, setpgid: true }), 'ERR_INVALID_ARG_VALUE', 'setpgid'],
  ['ctty without setsid', () => forkExec('/x', { ctty: true }), 'ERR_INVALID_ARG_VALUE', 'ctty'],
  [
    'ctty of a descriptor that will be closed',
    () => forkExec('/x', { setsid: true, ctty: 9 }),
    'ERR_INVALID_ARG_VALUE',
    'ctty',
  ],
  ['an unknown signal', () => forkExec('/x', { pdeathsig: 'SIGNOPE' as never }), 'ERR_UNKNOWN_SIGNAL', 'SIGNOPE'],
  ['signal 65', () => forkExec('/x', { signalMask: [65] }), 'ERR_OUT_OF_RANGE', 'signalMask\\[0\\]'],
  ['an unknown limit', () => forkExec('/x', { rlimits: { files: 1 } as never }), 'ERR_INVALID_ARG_VALUE', 'files'],
  [
    'half a limit',
    () => forkExec('/x', { rlimits: { core: { soft: 1 } as never } }),
    'ERR_INVALID_ARG_TYPE',
    'core.hard',
  ],
  ['a nice value of 20', () => forkExec('/x', { nice: 20 }), 'ERR_OUT_OF_RANGE', 'nice'],
  ['a name to search with chroot', () => forkExec('x', { chroot: '/' }), 'ERR_INVALID_ARG_VALUE', 'file'],
];

for (const [what, call, code, names] of bad) {
  test(`${what} is ${code}`, () => {
    assert.throws(call, (error: NodeJS.ErrnoException) => error.code === code && new RegExp(names).test(error.message));
  });
}

test('a user without an entry needs a group, for it would keep that of root', needsRoot, () => {
  assert.throws(() => forkExec('/x', { uid: 61234 }), { code: 'ERR_INVALID_ARG_VALUE', message: /options\.gid/ });
});
