// Programs that behave badly: each has one outcome, which docs/watchdog.md tells, and the Watchdog stays. Those that can't
// be started are in command-restart.test.ts.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GivenUp } from 'posix-daemon';
import { NO_PAUSE, shell, startCommand } from '../helpers/command-watchdog.js';
import { hasEnded, temporaryDirectory } from '../helpers/exec.js';

const LIMIT = { maxRestarts: { count: 3 }, backoff: NO_PAUSE, signals: false };

test('a program that crashes at once is given up with its signal', async (t) => {
  const watched = startCommand(t, { ...shell('kill -SEGV $$'), ...LIMIT });
  const { signal, reason } = await watched.next<GivenUp>('giveUp');
  assert.equal(signal, 'SIGSEGV');
  assert.match(reason, /^killed by SIGSEGV, after 3 restarts/);
  assert.deepEqual(await watched.next('stopped'), { exitCode: null, signal: 'SIGSEGV' });
});

test('a program that makes itself a daemon is told to stay in the foreground, and its daemon doesn’t stay', async (t) => {
  const watched = startCommand(t, { ...shell('(setsid sleep 1000 & echo $!) ; exit 0'), ...LIMIT });
  const daemons: number[] = [];
  for (let i = 0; i < 4; i++) {
    daemons.push(Number(await watched.next('line')));
    const { exitCode, leftProcesses } = await watched.exit();
    assert.deepEqual({ exitCode, leftProcesses }, { exitCode: 0, leftProcesses: 1 });
  }
  const { reason } = await watched.next<GivenUp>('giveUp');
  assert.match(reason, /it left a process, which was killed: .* stay in the foreground$/);
  assert.ok(daemons.every(hasEnded));
});

test('the same without restarts says so on standard error', async (t) => {
  const watched = startCommand(t, { ...shell('setsid sleep 1000 & exit 0'), restart: 'on-failure' });
  const { code, stderr } = await watched.outcome;
  assert.equal(code, 0);
  assert.match(stderr, /left 1 process, .* foreground/);
});

test('a program that closes its descriptors is watched all the same', async (t) => {
  const watched = startCommand(t, { ...shell('exec 0<&- 1>&- 2>&-; exec sleep 1000'), ...LIMIT });
  const { handle } = await watched.spawned();
  await watched.next('ready');
  handle.signal('SIGKILL');
  await watched.spawned();
});

test('a program that closes a descriptor which isn’t its own finds none', async (t) => {
  const script = 'import os\nos.closerange(0, 1024)\nos.execvp("sleep", ["sleep", "1000"])';
  const watched = startCommand(t, { command: ['python3', '-c', script], ...LIMIT });
  const { handle } = await watched.spawned();
  handle.signal('SIGTERM');
  assert.equal((await watched.exit()).signal, 'SIGTERM');
});

const GIGABYTE = 'head -c 1073741824 /dev/zero | tr "\\0" "\\n"';

test('a gigabyte of output into a log with maxBytes takes no more than that, and no restart', {
  timeout: 120_000,
}, async (t) => {
  const folder = temporaryDirectory(t);
  const stdout = { path: join(folder, 'log'), maxBytes: 1 << 20, backups: 1 };
  const watched = startCommand(t, { ...shell(`${GIGABYTE}; exit 9`), restart: 'never', signals: false, stdout });
  const { exitCode } = await watched.exit();
  assert.equal(exitCode, 9);
  await watched.next('stopped');
  const sizes = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  assert.equal(sizes.length, 2);
  assert.ok(sizes.every((size) => size <= 1 << 20));
});
