// killTree, onParentDeath, and what they rest on.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cgroupFolder, keeperCgroup, usableCgroup } from '#dist/watchdog/cgroup.js';
import { childrenOf } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { startWatchdog, titleOf, untilGone } from '../helpers/watchdog.js';

const startMember = `({ say, child_process }, worker) => {
  const member = child_process.spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
  say({ member: member.pid, guarantee: worker.guarantee });
  setInterval(() => {}, 1e6);
}` as never;

test('killTree: false leaves what a worker has started alone, also when the keeper is killed or the watchdog', async (t) => {
  const watched = startWatchdog(t, { killTree: false, inWorker: startMember });
  const first = await watched.worker();
  const members = [watched.hold(await watched.said('member'))];
  first.handle.signal('SIGKILL');
  const second = await watched.worker();
  members.push(watched.hold(await watched.said('member')));
  watched.hold(second.keeper).signal('SIGKILL');
  const third = await watched.worker();
  members.push(watched.hold(await watched.said('member')));
  assert.ok(!first.handle.alive && !second.handle.alive);
  watched.signal('SIGKILL');
  await untilGone('the worker', third.handle, watched.handle);
  assert.ok(members.every(({ alive }) => alive));
});

test('a worker knows what is guaranteed', async (t) => {
  const watched = startWatchdog(t, {
    killTree: false,
    inWorker: ({ say }, { guarantee }) => say({ guarantee }),
  });
  assert.equal(await watched.said('guarantee'), 'pdeathsig');
  const other = startWatchdog(t, { inWorker: ({ say }, { guarantee }) => say({ guarantee }) });
  assert.equal(await other.said('guarantee'), usableCgroup() === undefined ? 'subreaper' : 'cgroup');
});

test('onParentDeath: terminate asks the workers to end when the watchdog dies, and the spare one ends at once', async (t) => {
  const watched = startWatchdog(t, {
    onParentDeath: 'terminate',
    stopSignal: 'SIGUSR2',
    stopTimeoutMs: 60_000,
    inWorker: ({ say, child_process }) => {
      process.on('SIGUSR2', () => say({ asked: true }));
      process.on('SIGINT', () => process.exit(0));
      say({ member: child_process.spawn('sleep', ['1000'], { detached: true }).pid });
      setInterval(() => {}, 1e6);
    },
  });
  const { handle } = await watched.worker();
  const member = watched.hold(await watched.said('member'));
  const spare = () =>
    childrenOf(watched.pid)
      .flatMap(childrenOf)
      .find((pid) => titleOf(pid).endsWith(': standby'));
  await until('a spare worker sleeps', () => spare() !== undefined);
  const held = watched.hold(spare() as number);
  watched.signal('SIGKILL');
  assert.equal(await watched.said('asked'), true);
  await untilGone('the spare worker', held);
  assert.ok(handle.alive && member.alive);
  handle.signal('SIGINT');
  await untilGone('both', handle, member);
});

test('onParentDeath: terminate kills a worker that goes on after stopTimeoutMs, with all it started', async (t) => {
  const watched = startWatchdog(t, {
    onParentDeath: 'terminate',
    stopTimeoutMs: 500,
    inWorker: ({ say, child_process }) => {
      process.on('SIGTERM', () => say({ asked: true }));
      say({ member: child_process.spawn('sleep', ['1000'], { detached: true }).pid });
      setInterval(() => {}, 1e6);
    },
  });
  const { handle } = await watched.worker();
  const member = watched.hold(await watched.said('member'));
  watched.signal('SIGKILL');
  await watched.said('asked');
  await untilGone('both', handle, member);
});

/** No pid is so large. */
const NO_PID = 2 ** 22 + 1;

test('no cgroup stays behind: of a killed keeper, of a watchdog in a worker, of the last ones', async (t) => {
  const parent = usableCgroup();
  if (parent === undefined) return t.skip('no cgroup can be made here');
  const watched = startWatchdog(t, {
    inWorker: async ({ posix, say, child_process }) => {
      await posix.watchdog();
      say({ inner: child_process.spawn('sleep', ['1000'], { detached: true }).pid });
      setInterval(() => {}, 1e6);
    },
  });
  const folders: string[] = [];
  const next = async () => {
    const worker = await watched.worker();
    await watched.said('inner');
    const folder = keeperCgroup(parent, worker.keeper);
    assert.ok(existsSync(folder));
    // The inner watchdog's are in it, if it was in it itself by the time of its call.
    folders.push(folder);
    return worker;
  };
  watched.hold((await next()).keeper).signal('SIGKILL');
  (await next()).handle.signal('SIGKILL');
  await next();
  watched.signal('SIGTERM');
  await watched.outcome;
  assert.deepEqual(folders.filter(existsSync), []);
  assert.ok(!readdirSync(parent).some((name) => name.startsWith('posix-daemon-probe')));
});

test('a watchdog removes the cgroups of keepers that have gone without', async (t) => {
  const parent = usableCgroup();
  if (parent === undefined) return t.skip('no cgroup can be made here');
  const stale = keeperCgroup(parent, NO_PID);
  mkdirSync(stale);
  const watched = startWatchdog(t);
  await watched.worker();
  assert.equal(existsSync(stale), false);
});

test('a watchdog leaves the cgroups of another PID namespace alone', async (t) => {
  const parent = usableCgroup();
  if (parent === undefined) return t.skip('no cgroup can be made here');
  const others = join(parent, `posix-daemon-1-${NO_PID}`); // no namespace has this inode
  mkdirSync(others);
  t.after(() => rmdirSync(others));
  const watched = startWatchdog(t);
  await watched.worker();
  assert.ok(existsSync(others));
});

for (const [what, cgroup, mountinfo, folder] of [
  ['at the root', '0::/\n', '41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw', '/sys/fs/cgroup'],
  [
    'beside version 1',
    '4:memory:/a\n0::/b/c\n',
    '32 31 0:29 / /x rw - cgroup cgroup rw,cpu\n41 31 0:38 / /u rw shared:1 - cgroup2 none rw',
    '/u/b/c',
  ],
  ['in a part of the tree', '0::/b/c\n', '41 31 0:38 /b /u\\040v rw - cgroup2 none rw', '/u v/c'],
  ['outside of what is mounted', '0::/../x\n', '41 31 0:38 / /u rw - cgroup2 none rw', undefined],
  ['without version 2', '4:memory:/a\n', '32 31 0:29 / /x rw - cgroup cgroup rw,cpu', undefined],
] as const) {
  test(`the folder of a process's cgroup is found: ${what}`, () => {
    assert.equal(cgroupFolder(cgroup, mountinfo), folder);
  });
}

test('the folder that is found has this process in it', (t) => {
  const folder = usableCgroup();
  if (folder === undefined) return t.skip('no cgroup can be made here');
  assert.ok(readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').includes(`${process.pid}`));
});
