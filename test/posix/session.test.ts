import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chdir, chroot, getpgid, getsid, setpgid, umask } from 'posix-daemon';
import { type Failure, failureOf, scenario } from '../helpers/scenario.js';

const play = <T>(t: TestContext, ...args: string[]) => scenario<T>(t, 'session', args);

function temporaryDirectory(t: TestContext): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'posix-daemon-')));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

const TEXTS = {
  EACCES: 'permission denied',
  ELOOP: 'too many symbolic links encountered',
  ENAMETOOLONG: 'name too long',
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EPERM: 'operation not permitted',
  ESRCH: 'no such process',
} as const;

function systemError(code: keyof typeof TEXTS, syscall: string, path?: string) {
  const message = `${code}: ${TEXTS[code]}, ${syscall}${path === undefined ? '' : ` '${path}'`}`;
  const error = { name: 'Error', code, errno: -constants.errno[code], syscall, message };
  return path === undefined ? error : { ...error, path };
}

test('setsid makes the caller the leader of a session and of a group', async (t) => {
  assert.deepEqual(await play(t, 'setsid'), { isPid: true, sid: true, pgid: true });
});

test('setsid in a process group leader fails with EPERM', async (t) => {
  assert.deepEqual(await play(t, 'setsidAgain'), systemError('EPERM', 'setsid'));
});

test('getsid answers for the caller, a child and a leader', async (t) => {
  assert.deepEqual(await play(t, 'getsid'), { ofChild: true, leader: true });
});

test('getpgid answers for the caller and a child', async (t) => {
  assert.equal(await play(t, 'getpgid'), true);
});

test('setpgid makes the caller the leader of a new group, and moves it back', async (t) => {
  assert.deepEqual(await play(t, 'setpgid'), { own: true, back: true });
});

for (const [title, name, error] of [
  ['getsid of nobody', 'getsidDead', systemError('ESRCH', 'getsid')],
  ['getpgid of nobody', 'getpgidDead', systemError('ESRCH', 'getpgid')],
  ['setpgid of what is not a child', 'setpgidStranger', systemError('ESRCH', 'setpgid')],
  ['setpgid of a child that has called execve', 'setpgidAfterExec', systemError('EACCES', 'setpgid')],
  ['setpgid of a session leader', 'setpgidLeader', systemError('EPERM', 'setpgid')],
  ['setpgid into a group that is not in the session', 'setpgidNoGroup', systemError('EPERM', 'setpgid')],
] as const) {
  test(`${title} fails with ${error.code}`, async (t) => {
    assert.deepEqual(await play(t, name), error);
  });
}

test('umask sets the mask of the process, and returns the one before', async (t) => {
  assert.deepEqual(await play(t, 'umask'), { kernel: '0027', node: 0o027, returned: 0o027, back: true });
});

test('chdir moves the process, and process.cwd() follows although it was cached', async (t) => {
  const directory = temporaryDirectory(t);
  assert.deepEqual(await play(t, 'chdir', directory), { moved: true, cwd: directory });
});

test('chdir follows relative paths', async (t) => {
  const directory = temporaryDirectory(t);
  assert.deepEqual(await play(t, 'chdirRelative', directory), [join(directory, 'below'), directory]);
});

test('chdir fails and works in a deleted working directory as anywhere', async (t) => {
  const directory = temporaryDirectory(t);
  const missing = systemError('ENOENT', 'chdir', 'missing');
  assert.deepEqual(await play(t, 'chdirFromDeleted', directory), { missing, cwd: directory });
});

for (const [code, path] of [
  ['ENOENT', '/nonexistent'],
  ['ENOENT', ''],
  ['ENOTDIR', process.execPath],
  ['ENAMETOOLONG', `/${'x'.repeat(256)}`],
] as const) {
  test(`chdir to '${path.slice(0, 16)}' fails with ${code} and leaves the process where it was`, async (t) => {
    const failure = systemError(code, 'chdir', path);
    assert.deepEqual(await play(t, 'chdirFails', path), { failure, stayed: true });
  });

  test(`chroot to '${path.slice(0, 16)}' fails with ${code}`, async (t) => {
    assert.deepEqual(await play(t, 'chrootFails', path), systemError(code, 'chroot', path));
  });
}

test('chdir through a link to itself fails with ELOOP', async (t) => {
  const link = join(temporaryDirectory(t), 'loop');
  symlinkSync(link, link);
  assert.deepEqual(
    (await play<{ failure: Failure }>(t, 'chdirFails', link)).failure,
    systemError('ELOOP', 'chdir', link),
  );
});

test('chdir of an ordinary user into a directory without search permission fails with EACCES', async (t) => {
  const directory = temporaryDirectory(t);
  const { code, syscall } = await play<Failure>(t, 'chdirForbidden', directory);
  assert.deepEqual({ code, syscall }, { code: 'EACCES', syscall: 'chdir' });
});

test('chroot of an ordinary user fails with EPERM', async (t) => {
  assert.deepEqual(await play(t, 'chrootAsOrdinaryUser'), systemError('EPERM', 'chroot', '/'));
});

test('after chroot the working directory is out of reach until chdir', async (t) => {
  if (process.getuid?.() !== 0) return t.skip('only root may call chroot');
  assert.deepEqual(await play(t, 'chroot', temporaryDirectory(t)), { outside: 'ENOENT', cwd: '/' });
});

for (const [title, call, code] of [
  ['getsid of a negative pid', () => getsid(-1), 'ERR_OUT_OF_RANGE'],
  ['getpgid of a fraction', () => getpgid(0.5), 'ERR_OUT_OF_RANGE'],
  ['setpgid of a string', () => setpgid('1' as never), 'ERR_INVALID_ARG_TYPE'],
  ['setpgid to a negative group', () => setpgid(0, -1), 'ERR_OUT_OF_RANGE'],
  ['umask without a mask', () => umask(undefined as never), 'ERR_INVALID_ARG_TYPE'],
  ['umask above 0o777', () => umask(0o1000), 'ERR_OUT_OF_RANGE'],
  ['chdir to a number', () => chdir(0 as never), 'ERR_INVALID_ARG_TYPE'],
  ['chdir to a path with a null byte', () => chdir('/\0'), 'ERR_INVALID_ARG_VALUE'],
  ['chroot to nothing', () => chroot(undefined as never), 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`${title} is refused with ${code}`, () => {
    assert.equal(failureOf(call).code, code);
  });
}
