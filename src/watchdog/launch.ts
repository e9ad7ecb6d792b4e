// The start of a worker: a fork, a keeper between, and a pipe in which the worker speaks, and the keeper once.
import { closeSync } from 'node:fs';
import { pipe } from '../posix/descriptor.js';
import { forkKept, type KeptFork, type KeptForkOptions } from '../posix/fork.js';
import { openWorker } from './processes.js';
import type { Running } from './slot.js';

/** What a worker finds in itself. */
export interface Launched {
  statusFd: number;
  /** Which one it is, if that wasn't known when it was forked. */
  index: number | undefined;
}

/**
 * Forks a worker under a keeper, and returns in both.
 *
 * @throws what pipe2(2) and fork() throw; in the worker, what a hook of atfork() has thrown
 */
export function launch(fork: Omit<KeptForkOptions, 'fd'>): Running | Launched {
  const startedAt = performance.now();
  const [readFd, writeFd] = pipe({ nonBlocking: true });
  let forked: KeptFork;
  try {
    forked = forkKept({ ...fork, flags: [...fork.flags, '--end-fd', `${writeFd}`], fd: writeFd });
  } catch (error) {
    for (const fd of [readFd, writeFd]) closeSync(fd);
    throw error;
  }
  if (forked.pid === 0) {
    closeSync(readFd);
    return { statusFd: writeFd, index: forked.given || undefined };
  }
  closeSync(writeFd);
  return {
    pid: forked.pid,
    keeperPid: forked.keeperPid,
    handle: openWorker(forked.pid, forked.keeperPid),
    statusFd: readFd,
    startedAt,
    startedAtDate: Date.now(),
    isReady: false,
    lastBeat: startedAt,
    upAt: Infinity,
    readyBy: Infinity,
    killAt: Infinity,
    giveUpAt: Infinity,
    ended: false,
    keeperSaidEnd: false,
    orphaned: false,
  };
}
