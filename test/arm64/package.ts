// Run in the arm64 machine before the storm: the package as it is installed there, with its prebuilt addon.
import assert from 'node:assert/strict';
import { fork, forkSupport, openProcess } from 'posix-daemon';

assert.equal(process.arch, 'arm64');
assert.deepEqual(forkSupport(), { supported: true });
const pid = fork();
if (pid === 0) process.exit(7);
using child = openProcess(pid);
assert.equal((await child.wait())?.exitCode, 7);
console.log('package: loads, and forks');
