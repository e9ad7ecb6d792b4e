import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openProcess } from 'posix-daemon';
import { procStatus } from './helpers/fixture.js';

const example = fileURLToPath(new URL('../examples/classic-daemon.js', import.meta.url));

test('the classic daemon serves HTTP from a session without a terminal after its starter has ended', async (t) => {
  const starter = spawnSync(process.execPath, [example], { encoding: 'utf8' });
  assert.deepEqual([starter.status, starter.signal, starter.stderr], [0, null, '']);
  const pid = Number(await (await fetch(starter.stdout.trim())).text());
  const daemon = openProcess(pid);
  t.after(() => {
    if (daemon.alive) daemon.signal('SIGKILL');
    daemon.close();
  });
  assert.notEqual(pid, starter.pid);
  assert.notEqual(Number(procStatus(pid, 'PPid')), starter.pid);
  assert.equal(procStatus(pid, 'Umask'), '0000');
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  for (const fd of [0, 1, 2]) assert.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null');
  daemon.signal('SIGTERM');
  await daemon.wait();
});
