import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scenario } from '../helpers/scenario.js';

const SOURCE = fileURLToPath(new URL('../../../test/fixtures/atfork-library.c', import.meta.url));

suite('handlers that a library has registered by pthread_atfork', () => {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-atfork-'));
  const addon = join(folder, 'library.node');
  before(() => {
    const { status, stderr } = spawnSync('cc', ['-shared', '-fPIC', '-pthread', SOURCE, '-o', addon]);
    assert.equal(status, 0, String(stderr));
  });
  after(() => rmSync(folder, { recursive: true }));

  test('are called before the fork and on each side of it', async (t) => {
    const seen = await scenario(t, 'atfork-library', ['handlers', addon]);
    assert.deepEqual(seen, { child: 'lock child new ', parent: 'lock parent ' });
  });

  test('may hold over the fork what a thread of the library waits for', async (t) => {
    const statuses = await scenario(t, 'atfork-library', ['mutex', addon, '20']);
    assert.deepEqual(statuses, Array(20).fill(0));
  });
});
