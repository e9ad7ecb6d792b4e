// A watchdog at its limit of descriptors.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { straceRefused } from '../helpers/strace.js';
import { startWatchdog } from '../helpers/watchdog.js';

/** Has the nth pidfd_open(2) of the watchdog fail. */
const failing = (when: number) => ({
  execPath: 'strace',
  // -D: the watchdog is the child, strace stands aside.
  execArgv: ['-D', '-qq', '-o', '/dev/null', '-e', `inject=pidfd_open:error=EMFILE:when=${when}`, process.execPath],
});

const skip = straceRefused();

test('a worker that can’t be watched for want of a descriptor is replaced by one that can', { skip }, async (t) => {
  const watched = startWatchdog(t, { standby: false }, failing(1));
  const first = await watched.worker();
  assert.equal((await watched.exit()).pid, first.pid);
  const second = await watched.worker();
  watched.signal('SIGTERM');
  const { pid, signal } = await watched.exit();
  assert.deepEqual([pid, signal], [second.pid, 'SIGTERM']);
  assert.match((await watched.outcome).stderr, /^a worker can't be watched: EMFILE: .*, pidfd_open\n$/);
});
