// The keeper's executable while the watchdog runs: npm takes it away and puts another one in its place.
import assert from 'node:assert/strict';
import { cpSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryDirectory } from '../helpers/exec.js';
import { runFixture } from '../helpers/fixture.js';
import { startWatchdog } from '../helpers/watchdog.js';

const PACKAGE = fileURLToPath(new URL('../../../', import.meta.url));
const BUILT = 'build/Release';
const KEEPER = join(BUILT, 'posix-daemon-keeper');

test('a worker is replaced though the keeper’s file is gone', async (t) => {
  const folder = temporaryDirectory(t);
  const files = ['package.json', 'dist', join(BUILT, 'posix_daemon.node'), KEEPER, 'out/test/fixtures'];
  for (const file of files) cpSync(join(PACKAGE, file), join(folder, file), { recursive: true });
  symlinkSync(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
  // In place of the fixture that comes as $0.
  const command = `exec ${process.execPath} ${join(folder, 'out/test/fixtures/watchdog.js')} "$1"`;
  const watched = startWatchdog(t, { standby: false }, { execPath: '/bin/sh', execArgv: ['-c', command] });
  const { handle } = await watched.worker();
  rmSync(join(folder, KEEPER));
  handle.signal('SIGKILL');
  assert.equal((await watched.worker()).index, 1);
});

test('a fork whose keeper can’t be executed throws why, and leaves no child', async (t) => {
  const { stdout, stderr } = await runFixture(t, 'no-keeper');
  assert.deepEqual(JSON.parse(stdout), { code: 'ENOENT', step: 'execve', children: '' }, stderr);
});
