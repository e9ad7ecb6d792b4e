// What an agent can be told, by name.
import { fork as childFork } from 'node:child_process';
import { fork, waitpid } from 'posix-daemon';
import { churn, grow, growAndCollect, hotLoop, listen, stopListening } from './app.js';
import { childForkSample, forkSample, rawCloneSample } from './forks.js';
import { forkExecSample, spawnSample, spawnSyncSample } from './programs.js';

export const commands = {
  grow,
  growAndCollect,
  hotLoop,
  churn,
  listen,
  stopListening,
  forkSample,
  childForkSample,
  rawCloneSample,
  spawnSample,
  spawnSyncSample,
  forkExecSample,

  /** Forks this agent; the child introduces itself to the benchmark. */
  fork(): number {
    return fork();
  },

  reap(pid: number): void {
    waitpid(pid);
  },

  /** Starts another agent as child_process.fork does, from nothing. */
  childFork(): number {
    return childFork(process.argv[1] as string, process.argv.slice(2)).pid as number;
  },
};
