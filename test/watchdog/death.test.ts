// What dies with what: nothing that a worker has started, in whatever session, outlives the watchdog or the worker.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ProcessHandle } from 'posix-daemon';
import type { Tools } from '../fixtures/watchdog.js';
import { needsRoot, temporaryDirectory } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';
import { type Play, startWatchdog, untilGone, zombiesOf } from '../helpers/watchdog.js';

const MEMBERS = 7;

/** Starts one process of each kind that is hard to get rid of; each tells its pid. */
const startFamily = ({ child_process }: Tools) => {
  const says = 'echo "{\\"member\\":$$}"';
  const scripts = [
    `${says}; exec sleep 1000`,
    `exec setsid sh -c '${says}; exec sleep 1000'`,
    `(setsid sh -c '${says}; exec sleep 1000' &)`,
    `trap '' HUP INT QUIT TERM USR1 USR2 PIPE ALRM CONT CHLD TSTP; ${says}; exec sleep 1000`,
    `${says}; kill -STOP $$`,
    `${says}; while :; do :; done`,
    `sh -c '${says}; sleep 1000 & wait'`,
  ];
  for (const script of scripts) child_process.spawn('sh', ['-c', script], { stdio: ['ignore', 1, 'ignore'] });
  setInterval(() => {}, 1e6);
};

async function withFamily(t: TestContext, play: Play = {}, settings: Parameters<typeof startWatchdog>[2] = {}) {
  const watched = startWatchdog(t, { inWorker: startFamily, ...play }, settings);
  const family: ProcessHandle[] = [];
  const worker = await watched.worker();
  while (family.length < MEMBERS) family.push(watched.hold(await watched.said('member')));
  return { watched, worker, family };
}

test('SIGKILL of the watchdog takes the worker and all that it has started', async (t) => {
  const { watched, worker, family } = await withFamily(t);
  const keeper = watched.hold(worker.keeper);
  watched.signal('SIGKILL');
  await untilGone('the tree', worker.handle, ...family, keeper);
});

// Who may make no cgroups, where root may.
test('SIGKILL of an ordinary user’s watchdog takes the worker and all that it has started', needsRoot, async (t) => {
  const { watched, worker, family } = await withFamily(t, {}, { uid: 65534, gid: 65534, cwd: '/' });
  watched.signal('SIGKILL');
  await untilGone('the tree', worker.handle, ...family);
});

test('SIGKILL of the worker takes all that it has started before the next one is there', async (t) => {
  const { watched, worker, family } = await withFamily(t);
  worker.handle.signal('SIGKILL');
  await watched.worker();
  assert.deepEqual(
    family.filter(({ alive }) => alive),
    [],
  );
});

test('a worker that exits takes all that it has started, too', async (t) => {
  const { watched, worker, family } = await withFamily(t);
  worker.handle.signal('SIGTERM');
  await watched.worker();
  assert.deepEqual(
    family.filter(({ alive }) => alive),
    [],
  );
});

test('SIGKILL of the keeper takes the worker and its tree; both are replaced, and no zombie stays', async (t) => {
  const { watched, worker, family } = await withFamily(t);
  watched.hold(worker.keeper).signal('SIGKILL');
  const next = await watched.worker();
  assert.deepEqual(
    [worker.handle, ...family].filter(({ alive }) => alive),
    [],
    'before the next one is there',
  );
  assert.notEqual(next.keeper, worker.keeper);
  assert.ok(watched.handle.alive);
  await until('no zombie', () => zombiesOf(watched.pid).length === 0);
  assert.equal((await watched.exit()).signal, 'SIGKILL');
});

test('SIGKILL of the watchdog while the keeper is stopped takes the tree all the same', async (t) => {
  const { watched, worker, family } = await withFamily(t);
  watched.hold(worker.keeper).signal('SIGSTOP');
  watched.signal('SIGKILL');
  await untilGone('the tree', worker.handle, ...family);
});

test('a worker that dies while its keeper is stopped is replaced', async (t) => {
  const { watched, worker, family } = await withFamily(t);
  watched.hold(worker.keeper).signal('SIGSTOP');
  worker.handle.signal('SIGKILL');
  await watched.worker();
  await untilGone('the tree', ...family);
});

test('a worker that is stopped is killed with its watchdog', async (t) => {
  const watched = startWatchdog(t);
  const { handle } = await watched.worker();
  handle.signal('SIGSTOP');
  watched.signal('SIGKILL');
  await untilGone('the worker', handle);
});

test('a worker that has become another user dies with its keeper', needsRoot, async (t) => {
  const watched = startWatchdog(t, {
    inWorker: ({ say }) => {
      process.setuid?.(65534);
      say({ user: process.getuid?.() });
      setInterval(() => {}, 1e6);
    },
  });
  const first = await watched.worker();
  assert.equal(await watched.said('user'), 65534);
  watched.hold(first.keeper).signal('SIGKILL');
  await watched.worker();
  assert.equal(first.handle.alive, false);
});

test('a worker that has become another user, and what it starts, die with the watchdog', needsRoot, async (t) => {
  const watched = startWatchdog(t, {
    inWorker: ({ say, child_process }) => {
      process.setuid?.(65534);
      const { pid } = child_process.spawn('sleep', ['1000'], { detached: true });
      say({ member: pid });
      setInterval(() => {}, 1e6);
    },
  });
  const worker = await watched.worker();
  const member = watched.hold(await watched.said('member'));
  watched.signal('SIGKILL');
  await untilGone('both', worker.handle, member);
});

// Of an ordinary user's watchdog: sudo, for one. Here a copy of python3 that is root's, and becomes it altogether.
test(
  'what became root under an ordinary user’s worker survives, and neither keeps the watchdog busy nor ends it',
  needsRoot,
  async (t) => {
    const path = rootProgram(t);
    const watched = startWatchdog(
      t,
      {
        before: `({ state }) => { state.program = ${JSON.stringify(path)}; }` as never,
        inWorker: ({ say, child_process, state }) => {
          const script = 'import os, time; os.setuid(0); os.write(1, b"%d" % os.getpid()); time.sleep(1000)';
          const child = child_process.spawn(state.program as string, ['-c', script], {
            stdio: ['ignore', 'pipe', 'ignore'],
          });
          child.stdout?.once('data', (text) => say({ member: Number(text) }));
          setInterval(() => {}, 1e6);
        },
      },
      { uid: 65534, gid: 65534, cwd: '/' },
    );
    const first = await watched.worker();
    watched.hold(await watched.said('member'));
    watched.hold(first.keeper).signal('SIGKILL');
    const second = await watched.worker();
    watched.hold(await watched.said('member'));
    second.handle.signal('SIGKILL');
    await watched.worker();
    assert.ok(watched.handle.alive);
  },
);

/** Makes a program that belongs to root and runs as root, whoever starts it. */
function rootProgram(t: TestContext): string {
  const folder = temporaryDirectory(t);
  chmodSync(folder, 0o755);
  const path = join(folder, 'python3');
  copyFileSync('/usr/bin/python3', path);
  chmodSync(path, 0o4755);
  return path;
}

test('SIGKILL of a worker spares what has come up to the watchdog from elsewhere', async (t) => {
  const watched = startWatchdog(t, {
    before: ({ child_process }) => {
      const script = `sh -c 'sleep 1000 & echo "{ \\"family\\": [$PPID, $$, $!] }"; wait' & wait; exec sleep 1000`;
      child_process.spawn('sh', ['-c', script], { stdio: ['ignore', 'inherit', 'ignore'] });
    },
  });
  const worker = await watched.worker();
  const family = (await watched.said<number[]>('family')).map(watched.hold);
  const [, parent, orphan] = family;
  parent?.signal('SIGKILL');
  await until('adopted', () => procStatus(orphan?.pid as number, 'PPid') === `${watched.pid}`);
  worker.handle.signal('SIGKILL');
  await watched.worker();
  assert.ok(orphan?.alive);
});
