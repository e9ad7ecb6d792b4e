// A user who wants the others ill shares a folder with them.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type DaemonizeOptions, findDaemon } from 'posix-daemon';
import { hasEnded, needsRoot } from '../helpers/exec.js';
import { processesOf, run, testFolder } from '../helpers/plain-daemon.js';
import { as, HONEST, HOSTILE, lockKinds, lockToRead } from '../helpers/strangers.js';

interface Scene {
  folder: string;
  /** A folder that everybody can write, as /tmp is. */
  shared: string;
  /** A file that the hostile user may not write. */
  victim: string;
}

function scene(t: TestContext, owner: number): Scene {
  const folder = testFolder(t);
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  const victim = join(folder, 'victim');
  writeFileSync(victim, 'precious');
  chownSync(victim, owner, owner);
  return { folder, shared, victim };
}

async function refused(t: TestContext, scene: Scene, owner: number, options: DaemonizeOptions, code: RegExp) {
  const outcome = await run(t, scene.folder, options, as(owner));
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, code);
  assert.deepEqual(processesOf(scene.folder), []);
  assert.equal(readFileSync(scene.victim, 'utf8'), 'precious');
}

const traps: [what: string, set: (path: string, victim: string) => void][] = [
  ['a file', (path) => writeFileSync(path, '1\n', { mode: 0o666 })],
  ['a link to somebody’s file', (path, victim) => symlinkSync(victim, path)],
  ['a link to nothing', (path, victim) => symlinkSync(`${victim}.none`, path)],
  ['a FIFO', (path) => execFileSync('mkfifo', [path])],
];

for (const [who, owner] of [
  ['root', 0],
  ['an ordinary user', HONEST],
] as const) {
  for (const [what, set] of traps) {
    for (const option of ['pidFile', 'stdout'] as const) {
      test(
        `${who}: ${what} that a hostile user has put in the place of ${option} is refused, not used`,
        needsRoot,
        async (t) => {
          const at = scene(t, owner);
          const path = join(at.shared, 'x');
          set(path, at.victim);
          lchownSync(path, HOSTILE, HOSTILE);
          const before = statSync(at.shared).mtimeMs;
          // The kernel itself may be the one that refuses (fs.protected_regular, fs.protected_fifos).
          await refused(
            t,
            at,
            owner,
            { [option]: path },
            /belongs to another user|link|neither a file|no regular file|: EACCES: /,
          );
          assert.equal(statSync(at.shared).mtimeMs, before);
        },
      );
    }
  }
}

test('a log of one’s own in a shared folder goes on', needsRoot, async (t) => {
  const { folder, shared } = scene(t, HONEST);
  const log = join(shared, 'x.log');
  writeFileSync(log, 'before\n');
  chownSync(log, HONEST, HONEST);
  assert.equal((await run(t, folder, { stdout: log }, as(HONEST))).code, 0);
  assert.equal(readFileSync(log, 'utf8'), 'before\n');
});

for (const kind of lockKinds) {
  test(`a hostile user’s ${kind} lock on the pid file keeps no daemon from starting`, needsRoot, async (t) => {
    const { folder } = scene(t, HONEST);
    const own = join(folder, 'own');
    mkdirSync(own);
    const pidFile = join(own, 'x.pid');
    writeFileSync(pidFile, '1\n');
    for (const path of [own, pidFile]) chownSync(path, HONEST, HONEST);
    await lockToRead(t, kind, pidFile, HOSTILE);
    const { code, stderr } = await run(t, folder, { pidFile }, as(HONEST));
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.deepEqual(processesOf(folder), [findDaemon(pidFile)?.pid]);
  });
}

test(
  'a hostile user can neither signal a daemon, nor read its log, nor look at its descriptors',
  needsRoot,
  async (t) => {
    const { folder } = scene(t, HONEST);
    const own = join(folder, 'own');
    mkdirSync(own);
    chownSync(own, HONEST, HONEST);
    const [pidFile, stdout] = [join(own, 'x.pid'), join(own, 'x.log')];
    assert.equal((await run(t, folder, { pidFile, stdout }, as(HONEST))).code, 0);
    const pid = findDaemon(pidFile)?.pid as number;
    for (const [program, ...args] of [
      ['sh', '-c', `kill -KILL ${pid}`],
      ['cat', stdout],
      ['ls', `/proc/${pid}/fd/`],
      ['cat', `/proc/${pid}/environ`],
      ['rm', '-f', pidFile],
    ] as const) {
      assert.notEqual(spawnSync(program, args, as(HOSTILE)).status, 0, program);
    }
    assert.ok(!hasEnded(pid));
    assert.equal(findDaemon(pidFile)?.pid, pid);
  },
);

test(
  'a daemon that gave up root’s rights can’t be looked into by another process of its user',
  needsRoot,
  async (t) => {
    const { folder } = scene(t, 0);
    const pidFile = join(folder, 'x.pid');
    const { code, stderr } = await run(t, folder, { pidFile, user: HONEST, group: HONEST, groups: [] });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const pid = findDaemon(pidFile)?.pid;
    // Its memory may still hold what only root could read.
    assert.notEqual(spawnSync('ls', [`/proc/${pid}/fd/`], as(HONEST)).status, 0);
  },
);
