// process.title and the other facts of a process are each side's own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { chdir, cwd } from 'node:process';
import { inChild } from '../support.js';

const comm = () => readFileSync('/proc/self/comm', 'utf8').trim();
process.title = 'area-parent';
assert.equal(process.title, 'area-parent');
const { pid } = process;
const folder = cwd();
await inChild(() => {
  assert.equal(process.title, 'area-parent');
  assert.equal(process.ppid, pid);
  assert.notEqual(process.pid, pid);
  assert.equal(readFileSync('/proc/self/stat', 'utf8').split(' ')[0], String(process.pid));
  process.title = 'area-child';
  assert.equal(process.title, 'area-child');
  assert.match(comm(), /area-child/);
  process.env.ONLY_IN_THE_CHILD = 'x';
  chdir('/');
  process.umask(0o077);
});
assert.equal(process.title, 'area-parent');
assert.match(comm(), /area-parent/);
assert.equal(process.env.ONLY_IN_THE_CHILD, undefined);
assert.equal(cwd(), folder);
assert.notEqual(process.umask(), 0o077);
assert.equal(process.pid, pid);
