// Parent and child as the kernel shows them to others.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { procStatus, startFixture, until } from '../helpers/fixture.js';
import { processState } from '../helpers/state.js';

interface Pair {
  parent: number;
  child: number;
  userPipe: [number, number];
}

async function startPair(t: TestContext): Promise<Pair> {
  const fixture = startFixture(t, 'fork-pair');
  const lines = [await fixture.line(), await fixture.line()].map((line) => JSON.parse(line));
  return Object.assign({}, ...lines) as Pair;
}

/** The descriptors of a process whose link looks so. */
function descriptorsLike(pid: number, pattern: RegExp): string[] {
  return Object.entries(processState(pid).descriptors).flatMap(([fd, link]) => (pattern.test(link) ? [fd] : []));
}

function fdInfo(pid: number, fd: string): string {
  return readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
}

const threadsOf = (pid: number) =>
  Object.values(processState(pid).threads)
    .map((thread) => JSON.stringify(thread))
    .sort();

test('the child has the parent’s threads, with their names, signal masks and handlers', async (t) => {
  const { parent, child } = await startPair(t);
  assert.ok(threadsOf(parent).length > 6);
  // In both the threads leave the handler in which fork() held them a moment after it has returned; in the child each
  // takes its name back by itself.
  const alike = () => threadsOf(child).join() === threadsOf(parent).join();
  await until('the threads are alike', alike).catch(() => {});
  assert.deepEqual(threadsOf(child), threadsOf(parent));
});

test('the child is a process of its own, whose parent is the one that forked', async (t) => {
  const { parent, child } = await startPair(t);
  assert.equal(procStatus(child, 'Tgid'), String(child));
  assert.equal(procStatus(child, 'PPid'), String(parent));
  assert.equal(readFileSync(`/proc/${child}/cmdline`, 'latin1').split('\0')[0], 'fork-pair');
});

test('parent and child share no eventfd', async (t) => {
  const { parent, child } = await startPair(t);
  const eventFds = (pid: number) =>
    descriptorsLike(pid, /\[eventfd\]/).map((fd) => /eventfd-id:\s*(\d+)/.exec(fdInfo(pid, fd))?.[1]);
  const [ofParent, ofChild] = [eventFds(parent), eventFds(child)];
  assert.equal(ofChild.length, ofParent.length);
  assert.ok(ofParent.length > 0 && ofParent.every((id) => id !== undefined));
  assert.deepEqual(
    ofParent.filter((id) => ofChild.includes(id)),
    [],
  );
});

test('what the child waits for is not in the parent’s epoll', async (t) => {
  const { parent, child } = await startPair(t);
  const watched = (pid: number) =>
    descriptorsLike(pid, /\[eventpoll\]/).map((fd) => [fd, fdInfo(pid, fd).match(/^tfd:/gm)?.length ?? 0] as const);
  assert.deepEqual(
    watched(child).map(([fd]) => fd),
    watched(parent).map(([fd]) => fd),
  );
  // The same, but for one server in one of them. (An event loop tells its epoll when it next waits.)
  const differences = () => {
    const ofParent = watched(parent);
    return watched(child).flatMap(([, count], i) => count - (ofParent[i]?.[1] ?? 0) || []);
  };
  await until('both have told their epolls', () => differences().join() === '1').catch(() => {});
  assert.deepEqual(differences(), [1]);
});

test('parent and child share the pipes that the program made, and none of Node’s own', async (t) => {
  const { parent, child, userPipe } = await startPair(t);
  const [ofParent, ofChild] = [ownPipes(parent), ownPipes(child)];
  assert.equal(ofChild.size, ofParent.size);
  const shared = [...ofParent].filter(([link]) => ofChild.has(link));
  assert.deepEqual(
    shared.map(([, fds]) => fds),
    [userPipe],
  );
});

/** The pipes of which a process has both ends. */
function ownPipes(pid: number): Map<string, number[]> {
  const pipes = new Map<string, number[]>();
  for (const [fd, link] of Object.entries(processState(pid).descriptors)) {
    if (link.startsWith('pipe:')) pipes.set(link, [...(pipes.get(link) ?? []), Number(fd)]);
  }
  return new Map([...pipes].filter(([, ends]) => ends.length === 2));
}

test('the child has an inotify of its own', async (t) => {
  const { parent, child } = await startPair(t);
  const watches = (pid: number) => descriptorsLike(pid, /inotify/).map((fd) => fdInfo(pid, fd).match(/^inotify.*/gm));
  assert.deepEqual(watches(child), watches(parent));
  assert.equal(watches(parent).length, 1);
});
