// Rotating a log that is written to, and finding all its files again.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isRoot } from './exec.js';

const logrotate = ['/usr/sbin/logrotate', '/usr/bin/logrotate'].find((path) => existsSync(path));

export const needsLogrotate = { skip: logrotate ? false : 'logrotate is not installed' };

/** Every file of a log, the oldest first. */
export function filesOf(log: string): string[] {
  const numbers = [];
  for (let number = 1; existsSync(`${log}.${number}`); number++) numbers.unshift(number);
  return [...numbers.map((number) => `${log}.${number}`), log];
}

/** Lets the real logrotate rotate a log again and again until its writer has ended; the number of rounds. */
export async function rotateUntil(ended: () => boolean, folder: string, log: string, directives: string) {
  const configuration = join(folder, 'logrotate.conf');
  // As root it refuses a folder that others may write to, and so does it a configuration.
  const user = isRoot ? 'su root root\n' : '';
  writeFileSync(configuration, `${user}${log} {\nrotate 1000\nmissingok\n${directives}\n}\n`, { mode: 0o644 });
  let rounds = 0;
  for (; !ended(); rounds++) {
    const args = ['--force', '--state', join(folder, 'logrotate.state'), configuration];
    const { status, stderr } = spawnSync(logrotate as string, args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    // The end shows in the event loop only.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return rounds;
}
