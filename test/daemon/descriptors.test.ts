// Which descriptors a daemon has from 3 on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { DaemonizeOptions } from 'posix-daemon';
import { daemonFolder, type StartedDaemon, startDaemon } from '../helpers/daemon.js';
import { descriptorsOf, hasEnded, nullSeparated } from '../helpers/exec.js';

// Four files open for the program that is then run in the shell's place.
const OPEN = 'exec 3<>"$0/three" 4<>"$0/four" 5<>"$0/five" 300<>"$0/far"';

interface Opened extends StartedDaemon {
  /** Which of the four files the daemon has, by their numbers. */
  files: Record<string, string>;
}

async function startOpened(t: TestContext, options: DaemonizeOptions, setUp = ':'): Promise<Opened> {
  const given = daemonFolder(t);
  const script = `${OPEN}; ${setUp}; exec "$@"`;
  const daemon = await startDaemon(t, options, {
    execPath: '/bin/bash',
    execArgv: ['-c', script, given, process.execPath],
  });
  const open = Object.entries(descriptorsOf(daemon.pid)).filter(([, path]) => path.startsWith(`${given}/`));
  const files = Object.fromEntries(open.map(([fd, path]) => [fd, path.slice(given.length + 1)]));
  return { ...daemon, files };
}

for (const mode of ['fork', 'exec'] as const) {
  test(`by ${mode}, what the starter was given is closed`, async (t) => {
    assert.deepEqual((await startOpened(t, { mode })).files, {});
  });

  test(`by ${mode}, keepFds stay open, at their numbers`, async (t) => {
    const { files } = await startOpened(t, { mode, keepFds: [4, 5, 300] });
    assert.deepEqual(files, { 4: 'four', 5: 'five', 300: 'far' });
  });

  test(`by ${mode}, sockets that systemd passed to the starter stay open, and are meant for the daemon`, async (t) => {
    const { files, pid } = await startOpened(t, { mode }, 'export LISTEN_FDS=2 LISTEN_PID=$$');
    assert.deepEqual(files, { 3: 'three', 4: 'four' });
    const environment = nullSeparated(`/proc/${pid}/environ`);
    assert.deepEqual(environment.filter((variable) => variable.startsWith('LISTEN_')).sort(), [
      'LISTEN_FDS=2',
      `LISTEN_PID=${pid}`,
    ]);
  });

  test(`by ${mode}, sockets that systemd passed to another process are none of the daemon's`, async (t) => {
    assert.deepEqual((await startOpened(t, { mode }, 'export LISTEN_FDS=2 LISTEN_PID=1')).files, {});
  });

  test(`by ${mode}, the channel of child_process.fork() is cut`, async (t) => {
    let disconnected: Promise<unknown> | undefined;
    const { pid, starter } = await startDaemon(
      t,
      { mode },
      {
        stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
        prepare: ['ipc'],
        onStart: ({ child }) => {
          disconnected = once(child, 'disconnect');
        },
      },
    );
    assert.deepEqual([starter.code, starter.stderr], [0, '']);
    await disconnected;
    assert.equal(hasEnded(pid), false);
  });
}

test('by fork, what the script opened itself stays open', async (t) => {
  const { ask, folder } = await startDaemon(t, { mode: 'fork' }, { prepare: ['openFile'] });
  await ask('appendOwn', 'written by the daemon');
  assert.equal(readFileSync(`${folder}/own`, 'utf8'), 'written by the daemon');
});
