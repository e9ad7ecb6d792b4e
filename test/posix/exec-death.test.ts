import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ForkExecOptions } from 'posix-daemon';
import { childrenOf, hasEnded, needsRoot, start, stat, temporaryDirectory } from '../helpers/exec.js';
import { type Running, runFixture, startFixture, until } from '../helpers/fixture.js';

const sleep: ForkExecOptions = { argv: ['1000'], stdio: ['null', 'null', 'null'] };

// A child that hangs on its way to /usr/bin/touch until the FIFO's other end is opened.
async function startHanging(t: TestContext, options: ForkExecOptions) {
  let fifo = '';
  // Open for both, a FIFO never blocks.
  const letGo = () => closeSync(openSync(fifo, 'r+'));
  t.after(letGo);
  const directory = temporaryDirectory(t);
  fifo = join(directory, 'fifo');
  const marker = join(directory, 'marker');
  execFileSync('mkfifo', [fifo]);
  const call = ['/usr/bin/touch', { argv: [marker], stdio: [fifo], ...options }];
  const parent = startFixture(t, 'exec', [JSON.stringify([call]), 'end']);
  const child = await until('the child hangs', () => childrenOf(parent.pid).find((pid) => stat(pid, 3) === 'S'));
  return { parent, child, marker, letGo };
}

async function killParent({ child: parent }: Running) {
  parent.kill('SIGKILL');
  await once(parent, 'exit');
}

for (const [whose, ids] of [
  ["the caller's", {}],
  ['another', { uid: 65534, gid: 65534 }],
] as const) {
  test(`with pdeathsig a program of ${whose} user dies when its parent is killed`, needsRoot, async (t) => {
    const { pid, parent } = await start(t, '/bin/sleep', { ...sleep, ...ids, pdeathsig: 'SIGKILL' });
    assert.ok(!hasEnded(pid));
    parent.child.kill('SIGKILL');
    await until('the program died', () => hasEnded(pid));
  });
}

test('pdeathsig is the signal that is sent', async (t) => {
  const directory = temporaryDirectory(t);
  const [ready, marker] = [join(directory, 'ready'), join(directory, 'marker')];
  const script = `trap 'touch ${marker}; exit' USR1; touch ${ready}; while :; do sleep 0.01; done`;
  const { parent } = await start(t, '/bin/sh', { argv: ['-c', script], pdeathsig: 'SIGUSR1' });
  await until('the trap is set', () => existsSync(ready));
  parent.child.kill('SIGKILL');
  await until('the signal came', () => existsSync(marker));
});

test('a child whose parent died on the way does not become the program', async (t) => {
  const { parent, child, marker, letGo } = await startHanging(t, { pdeathsig: 'SIGTERM' });
  await killParent(parent);
  letGo();
  await until('the child ended', () => hasEnded(child));
  assert.ok(!existsSync(marker));
});

test('without pdeathsig it does', async (t) => {
  const { parent, marker, letGo } = await startHanging(t, {});
  await killParent(parent);
  letGo();
  await until('the program ran', () => existsSync(marker));
});

for (const [kind, ids] of [
  ["that borrows the caller's memory", {}],
  ['that has a copy of the memory', { groups: [] }],
] as const) {
  test(`a child ${kind} and is killed on the way is ECANCELED, and reaped`, needsRoot, async (t) => {
    const { parent, child } = await startHanging(t, ids);
    process.kill(child, 'SIGKILL');
    const { code, step } = JSON.parse(await parent.line());
    assert.deepEqual([code, step], ['ECANCELED', 'open']);
    assert.ok(!existsSync(`/proc/${child}`));
  });
}

test('pdeathsig is refused in a worker thread, whose end would send it; all else works there', async (t) => {
  const { stdout, code } = await runFixture(t, 'exec-worker');
  assert.deepEqual(JSON.parse(stdout), [
    'ERR_WORKER_UNSUPPORTED_OPERATION',
    'ERR_WORKER_UNSUPPORTED_OPERATION',
    'started',
  ]);
  assert.equal(code, 0);
});
