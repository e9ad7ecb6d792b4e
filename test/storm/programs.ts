// Starts programs in each way that there is.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { forkExec, waitpid } from 'posix-daemon';

// As much as shows whether the program's start could read all of the caller's memory.
const args = Array.from({ length: 500 }, (_, n) => `argument ${n} of a program`);
const expected = args.map((arg) => `${arg}\n`).join('');
const NOBODY = { uid: 65534, gid: 65534, cwd: '/' };

export async function startPrograms(): Promise<void> {
  const users = process.getuid?.() === 0 ? [{}, NOBODY] : [{}];
  for (const user of users) {
    const { stdout } = await promisify(execFile)('printf', ['%s\\n', ...args], user);
    assert.equal(stdout, expected, 'execFile');
    const result = spawnSync('printf', ['%s\\n', ...args], { encoding: 'utf8', ...user });
    assert.equal(result.stdout, expected, `spawnSync: ${result.error ?? result.signal ?? result.stderr}`);
    const pid = forkExec('/bin/sh', { argv: ['-c', 'test $# = 500', 'sh', ...args], ...user });
    assert.equal(waitpid(pid)?.exitCode, 0, 'forkExec');
  }
}
