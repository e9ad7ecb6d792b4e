import assert from 'node:assert/strict';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { constants, networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ForkSupport } from 'posix-daemon';
import { needsRoot } from '../helpers/exec.js';
import { fixturePath, runFixture, startProgram } from '../helpers/fixture.js';
import { namespaceCommand, namespaceRefused } from '../helpers/namespace.js';
import { type Failure, scenario } from '../helpers/scenario.js';
import type { ProcessState } from '../helpers/state.js';

const PAGE = 4096;

function hasAddress(host: string): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? []);
  return addresses.some(({ address }) => address === host.replace(/[[\]]/g, ''));
}

interface Ids {
  pid: number;
  ppid: number;
  proc: number;
}

test('fork returns the child’s pid in the parent and 0 in the child', async (t) => {
  type Twice = { returned: number; parent: Ids; child: Ids & { returned: number } };
  const { returned, parent, child } = await scenario<Twice>(t, 'fork', ['twice']);
  assert.deepEqual(child, { returned: 0, pid: returned, ppid: parent.pid, proc: returned });
  assert.equal(parent.proc, parent.pid);
});

for (const code of [0, 7, 255]) {
  test(`waitpid sees a forked child end with status ${code}`, async (t) => {
    assert.deepEqual(await scenario(t, 'fork', ['exitCode', String(code)]), { exitCode: code, signal: null });
  });
}

for (const signal of ['SIGKILL', 'SIGTERM']) {
  test(`waitpid sees a forked child end by ${signal}`, async (t) => {
    assert.deepEqual(await scenario(t, 'fork', ['signal', signal]), { exitCode: null, signal });
  });
}

test('a forked child forks, and so do its child and that one’s child', async (t) => {
  const pids = await scenario<number[]>(t, 'fork', ['nested', '3']);
  assert.equal(new Set(pids).size, 4);
});

test('fork in a worker thread is refused and makes no process', async (t) => {
  type Refused = { failure: Failure; support: unknown; children: string };
  const { failure, support, children } = await scenario<Refused>(t, 'fork', ['inWorker']);
  assert.equal(failure.name, 'TypeError');
  assert.equal(failure.code, 'ERR_WORKER_UNSUPPORTED_OPERATION');
  assert.deepEqual(support, { supported: false, reason: 'a worker thread cannot fork' });
  assert.equal(children, '');
});

test('forkSupport says that fork can work', async (t) => {
  assert.deepEqual(await scenario(t, 'fork', ['support']), { supported: true });
});

for (const host of ['127.0.0.1', '[::1]']) {
  test(`a child of a process with an inspector at ${host} has one at another port of it`, async (t) => {
    if (!hasAddress(host)) return t.skip(`this machine has no ${host}`);
    type Inspectors = Record<'parent' | 'child', [url: string, host: string]>;
    const { code, stdout } = await runFixture(t, 'fork', ['inspectors'], { execArgv: [`--inspect=${host}:0`] });
    assert.equal(code, 0);
    const { parent, child }: Inspectors = JSON.parse(stdout);
    assert.deepEqual([parent[1], child[1]], [host, host]);
    assert.notEqual(new URL(child[0]).port, new URL(parent[0]).port);
  });
}

// What fork() refuses, forkSupport() says in advance.
type Obstacle = { support: ForkSupport; failure: Failure };

function assertRefused({ support, failure }: Obstacle, reason: RegExp): void {
  assert.equal(support.supported, false);
  assert.match(support.reason as string, reason);
  assert.equal(failure.code, 'ENOTSUP');
}

test('fork where /proc is that of another PID namespace is refused', async (t) => {
  const refused = namespaceRefused();
  if (refused !== undefined) return t.skip(refused);
  const [file, args] = namespaceCommand([process.execPath, fixturePath('fork'), 'supportOf']);
  const outside = args.filter((arg) => arg !== '--mount-proc');
  const { stdout } = await startProgram(t, file, outside).outcome;
  assertRefused(JSON.parse(stdout), /another PID namespace/);
});

test('fork where a chroot has taken /proc away is refused', needsRoot, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-chroot-'));
  t.after(() => rmdirSync(folder));
  const { before, ...after } = await scenario<Obstacle & { before: ForkSupport }>(t, 'fork', ['chrooted', folder]);
  assert.deepEqual(before, { supported: true });
  assertRefused(after, /\/proc/);
});

test('parent and child write to the same standard output and error', async (t) => {
  const { code, stdout, stderr } = await runFixture(t, 'fork', ['stdio']);
  assert.deepEqual([code, stdout, stderr], [0, 'child\nparent\nnull\n', 'child\nparent\n']);
});

test('the child sees the memory of before the fork, and the parent none of the child’s changes', async (t) => {
  const seen = await scenario(t, 'fork', ['copyOnWrite']);
  assert.deepEqual(seen, { child: ['before', 'before'], parent: ['before', 'before'] });
});

test('the parent has the threads, signal masks, handlers and descriptors that it had before', async (t) => {
  type States = { before: ProcessState; after: ProcessState };
  const { before, after } = await scenario<States>(t, 'fork', ['parentAsBefore']);
  assert.deepEqual(after.threads, before.threads);
  assert.deepEqual(after.descriptors, before.descriptors);
});

function bytesOf(range: string): number {
  const [start = 0, end = 0] = range.split('-').map((address) => Number.parseInt(address, 16));
  return end - start;
}

test('the parent’s heap stays out of the processes that it spawns', async (t) => {
  type States = { before: ProcessState; after: ProcessState };
  const { before, after } = await scenario<States>(t, 'fork', ['parentAsBefore']);
  assert.ok(Object.values(before.keptOut).includes(true));
  for (const [range, keptOut] of Object.entries(after.keptOut)) {
    // A single page, a guard of V8's, loses its mark for good.
    if (range in before.keptOut && bytesOf(range) > PAGE) assert.equal(keptOut, before.keptOut[range], range);
  }
});

test('child_process works in the child, and in the parent after the fork', async (t) => {
  assert.deepEqual(await scenario(t, 'fork', ['spawnAfter']), ['from the child\n', 'from the parent\n']);
});

test('setuid in the child changes every thread of it, and none of the parent', needsRoot, async (t) => {
  type Ids = { parent: string[][]; child: string[][] };
  const { parent, child } = await scenario<Ids>(t, 'fork', ['setuid']);
  assert.equal(child.length, parent.length);
  for (const [uid, gid, groups] of child) {
    assert.equal(uid, '65534\t65534\t65534\t65534');
    assert.equal(gid, '65534\t65534\t65534\t65534');
    assert.equal(groups, '');
  }
  for (const [uid] of parent) assert.equal(uid, '0\t0\t0\t0');
});

test('fork with a ring that the kernel serves by itself is ENOTSUP and changes nothing', async (t) => {
  const env = { ...process.env, UV_USE_IO_URING: '1' };
  const seen = await scenario<{ failure: Failure; works: boolean } | null>(t, 'fork', ['kernelThread'], { env });
  if (seen === null) return t.skip('this Node makes no such ring');
  assert.equal(seen.failure.code, 'ENOTSUP');
  assert.equal(seen.works, true);
});

test('fork at a limit of processes fails with EAGAIN and changes nothing', async (t) => {
  type Refused = { failure: Failure; before: ProcessState; after: ProcessState; works: string };
  const { failure, before, after, works } = await scenario<Refused>(t, 'fork', ['refused']);
  assert.equal(failure.code, 'EAGAIN');
  assert.equal(failure.errno, -constants.errno.EAGAIN);
  assert.equal(failure.syscall, 'fork');
  assert.deepEqual(after.threads, before.threads);
  assert.deepEqual(after.descriptors, before.descriptors);
  assert.equal(works, 'works');
});
