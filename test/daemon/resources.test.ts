import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type DaemonizeOptions, findDaemon } from 'posix-daemon';
import { needsRoot } from '../helpers/exec.js';
import type { Outcome } from '../helpers/fixture.js';
import { MODES, processesOf, run, testFolder } from '../helpers/plain-daemon.js';
import { as, HONEST } from '../helpers/strangers.js';

type Options = (folder: string) => DaemonizeOptions;
type RunOptions = Parameters<typeof run>[3];

function assertNothingLeft(folder: string, { code, signal, stdout, stderr }: Outcome, reason: RegExp): void {
  assert.match(stderr, reason);
  assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: '' });
  assert.deepEqual(processesOf(folder), []);
  assert.deepEqual(
    readdirSync(folder).filter((name) => /\.(pid|log)/.test(name)),
    [],
  );
}

async function fails(
  t: TestContext,
  options: Options,
  reason: RegExp,
  runOptions: RunOptions = {},
  prepare?: (folder: string) => void,
) {
  const folder = testFolder(t);
  prepare?.(folder);
  assertNothingLeft(folder, await run(t, folder, options(folder), runOptions), reason);
}

const LONG = `/${'x'.repeat(200)}`.repeat(21);
const withFiles = (folder: string) => ({ pidFile: join(folder, 'x.pid'), stdout: join(folder, 'x.log') });

const failures: [what: string, options: Options, reason: RegExp][] = [
  ['a pid file in no folder', (f) => ({ pidFile: `${f}/none/x.pid` }), /: ENOENT: .*none/],
  ['a log in no folder', (f) => ({ ...withFiles(f), stderr: `${f}/none/x.log` }), /: ENOENT: .*none/],
  ['a pid file under a file', (f) => ({ ...withFiles(f), pidFile: '/etc/passwd/x.pid' }), /: ENOTDIR: /],
  ['a folder for a pid file', (f) => ({ ...withFiles(f), pidFile: f }), /: EISDIR: /],
  ['a folder for a log', (f) => ({ ...withFiles(f), stderr: f }), /: EISDIR: /],
  ['no file to read', (f) => ({ ...withFiles(f), stdin: `${f}/none` }), /: ENOENT: .*none/],
  ['no working directory', (f) => ({ ...withFiles(f), cwd: `${f}/none` }), /: ENOENT: .*none/],
  ['a pid file with a path of 4 KiB', (f) => ({ ...withFiles(f), pidFile: LONG }), /: (?:ENAMETOOLONG|ENOENT): /],
  ['a log with a path of 4 KiB', (f) => ({ ...withFiles(f), stderr: LONG }), /: ENAMETOOLONG: /],
  ['a working directory with a path of 4 KiB', (f) => ({ ...withFiles(f), cwd: LONG }), /: ENAMETOOLONG: /],
  ['an unknown user', (f) => ({ ...withFiles(f), user: 'no-such-user' }), /user.*no-such-user/],
  ['a misspelt option', (f) => ({ ...withFiles(f), pidfile: 'x' }) as DaemonizeOptions, /did you mean pidFile/],
];

for (const mode of MODES) {
  for (const [what, options, reason] of failures) {
    test(`by ${mode}: ${what} is told by its code, and nothing is left`, (t) =>
      fails(t, (folder) => ({ ...options(folder), mode }), reason));
  }

  for (const [what, options] of [
    ['pid file', (folder: string) => ({ pidFile: `${folder}/closed/x.pid` })],
    ['log', (folder: string) => ({ pidFile: `${folder}/x.pid`, stdout: `${folder}/closed/x.log` })],
  ] as const) {
    test(`by ${mode}: a ${what} in a folder that may not be written is EACCES`, needsRoot, (t) => {
      const prepare = (folder: string) => {
        mkdirSync(join(folder, 'closed'));
        chmodSync(folder, 0o777);
      };
      return fails(t, (folder) => ({ ...options(folder), mode }), /: EACCES: .*closed/, as(HONEST), prepare);
    });
  }

  test(`by ${mode}: root’s rights that one hasn’t are EPERM`, needsRoot, (t) => {
    const prepare = (folder: string) => chownSync(folder, HONEST, HONEST);
    return fails(t, (folder) => ({ ...withFiles(folder), user: 0, mode }), /: EPERM: .*set[gu]/, as(HONEST), prepare);
  });

  for (const [what, mountOptions, fill, code] of [
    ['full of data', 'size=4k', 'head -c 4096 /dev/zero > $0/full', 'ENOSPC'],
    ['full of files', 'nr_inodes=1', ':', 'ENOSPC'],
    ['read-only', 'ro', ':', 'EROFS'],
  ] as const) {
    test(`by ${mode}: a pid file on a file system ${what} is ${code}`, needsRoot, async (t) => {
      if (mountRefused) return t.skip(mountRefused);
      const folder = testFolder(t);
      const place = join(folder, 'tmpfs');
      mkdirSync(place);
      // The daemon would be in the namespace of mounts, too, where its files are.
      const script = `mount -t tmpfs -o ${mountOptions} none "$0" && ${fill} && { "$@"; code=$?; ls "$0" >&2; exit $code; }`;
      const wrap = ['unshare', '--mount', 'sh', '-c', script, place];
      const outcome = await run(
        t,
        folder,
        { pidFile: join(place, 'x.pid'), stdout: join(folder, 'x.log'), mode },
        { wrap },
      );
      assertNothingLeft(folder, outcome, new RegExp(`: ${code}: .*x\\.pid`));
      assert.doesNotMatch(outcome.stderr, /^x\.pid$/m);
    });
  }

  for (const spare of [0, 3, 6]) {
    test(`by ${mode}: with room for ${spare} descriptors it is a daemon, or EMFILE and nothing`, async (t) => {
      const folder = testFolder(t);
      const outcome = await run(t, folder, { ...withFiles(folder), mode }, { args: [`${spare}`] });
      if (outcome.code === 0) {
        using found = findDaemon(join(folder, 'x.pid'));
        assert.deepEqual(processesOf(folder), [found?.pid]);
      } else {
        // By exec, Node itself may not come up with so few.
        assertNothingLeft(folder, outcome, /EMFILE|before it was ready/);
      }
    });
  }

  for (const [what, wrap] of [
    ['without HOME and any other variable', ['env', '-i']],
    ['with 0 to 2 closed', ['sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh']],
    ['in a working directory that is gone', ['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', 'sh']],
  ] as const) {
    test(`by ${mode}: ${what} it becomes a daemon`, async (t) => {
      const folder = realpathSync(testFolder(t));
      const { code, stderr } = await run(t, folder, { ...withFiles(folder), mode }, { wrap, cwd: folder });
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      using found = findDaemon(join(folder, 'x.pid'));
      assert.deepEqual(processesOf(folder), [found?.pid]);
    });
  }

  test(`by ${mode}: a relative path in a working directory that is gone is ENOENT`, async (t) => {
    const folder = testFolder(t);
    const wrap = ['sh', '-c', 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', 'sh'];
    const outcome = await run(t, folder, { pidFile: 'x.pid', mode }, { wrap, cwd: folder });
    assertNothingLeft(folder, outcome, /ENOENT: .*uv_cwd/);
  });

  test(`by ${mode}: with no process left to make it is EAGAIN`, needsRoot, async (t) => {
    const user = mode === 'fork' ? 61303 : 61304;
    const prepare = (folder: string) => chownSync(folder, user, user);
    // Threads count: those of one Node, which the kernel counts for each user, and no second one.
    const wrap = ['prlimit', '--nproc=12:12'];
    await fails(t, (folder) => ({ ...withFiles(folder), mode }), /EAGAIN/, { wrap, ...as(user) }, prepare);
  });
}

const mountRefused = (() => {
  const { status, stderr } = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8' });
  return status === 0 ? undefined : `no namespace of mounts: ${stderr.trim()}`;
})();
