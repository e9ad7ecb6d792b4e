// The start of a worker: a fork, a keeper between, and a pipe in which the worker speaks.
import { closeSync } from 'node:fs';
import { pipe } from '../posix/descriptor.js';
import { forkKept, type KeptFork } from '../posix/fork.js';
import { openWorker } from './processes.js';
import type { Running } from './slot.js';

/** What a worker finds in itself. */
export interface Launched {
  statusFd: number;
}

/**
 * Forks a worker under a keeper, and returns in both.
 *
 * @throws what pipe2(2) and fork() throw; in the worker, what a hook of atfork() has thrown
 */
export function launch(keeper: string, title: string): Running | Launched {
  const startedAt = performance.now();
  const [readFd, writeFd] = pipe({ nonBlocking: true });
  let forked: KeptFork;
  try {
    forked = forkKept(keeper, title);
  } catch (error) {
    for (const fd of [readFd, writeFd]) closeSync(fd);
    throw error;
  }
  if (forked.pid === 0) {
    closeSync(readFd);
    return { statusFd: writeFd };
  }
  closeSync(writeFd);
  return {
    ...forked,
    handle: openWorker(forked.pid, forked.keeperPid),
    statusFd: readFd,
    startedAt,
    isReady: false,
    lastBeat: startedAt,
    upAt: Infinity,
    readyBy: Infinity,
    killAt: Infinity,
    giveUpAt: Infinity,
    ended: false,
    orphaned: false,
  };
}
