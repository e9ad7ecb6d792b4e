// In a forked process: copies of the ChildProcess objects of its parent. They become what they are when a process has ended
// and all that was to be read is read, but for the events: nothing has happened to it.
import type { ChildProcess } from 'node:child_process';
import type { Cluster, Worker } from 'node:cluster';
import { createRequire } from 'node:module';
import { native } from '../native.js';
import { silence } from './silence.js';

const require = createRequire(import.meta.filename);

/** What Node keeps in an object that has an IPC channel. */
interface ChannelOwner {
  connected: boolean;
  channel?: unknown;
}

/** Its kill() returns false from now on, and it holds the event loop no more. */
export function disarm(copy: ChildProcess): void {
  const own = copy as unknown as { _handle: { close(): void } | null };
  own._handle?.close();
  own._handle = null;
}

/**
 * Takes the parent's processes and, of a primary of node:cluster, its workers out of the books. The channels themselves are
 * closed with the other pipes.
 */
export function leaveChannels(copies: readonly ChildProcess[]): void {
  native.withPathsKept(leaveWorkers);
  for (const copy of copies) {
    // Messages that had been read before the fork wait for the next tick.
    silence(copy);
    if (copy.connected) leaveChannel(copy as unknown as ChannelOwner);
  }
}

/** The parent's own parent has started one process, with one channel: this one was started without. */
export function leaveOwnChannel(): void {
  if (!process.connected) return;
  leaveChannel(process as unknown as ChannelOwner);
  delete process.send;
}

function leaveChannel(owner: ChannelOwner): void {
  owner.connected = false;
  owner.channel = null;
  // Node's own reference to it.
  for (const symbol of Object.getOwnPropertySymbols(owner)) {
    if (symbol.description === 'kChannelHandle') (owner as unknown as Record<symbol, unknown>)[symbol] = null;
  }
}

/**
 * A primary accepts connections for its workers: a copy of it would take them, and have nobody to pass them to. So the
 * workers' listening sockets are closed, too. cluster.fork() starts workers of this process's own.
 */
function leaveWorkers(): void {
  const cluster = require('node:cluster') as Cluster;
  const workers = Object.values(cluster.workers ?? {}) as Worker[];
  if (workers.length === 0) return;
  const before = Object.getOwnPropertyDescriptor(cluster, 'emit');
  silence(cluster);
  try {
    for (const worker of workers) {
      silence(worker);
      // What Node does when the channel is closed, and only that: nothing else reaches those sockets.
      for (const listener of worker.process.listeners('disconnect')) {
        if (String(listener).includes('removeHandlesForWorker')) listener.call(worker.process);
      }
      delete cluster.workers?.[worker.id];
    }
  } finally {
    delete (cluster as { emit?: unknown }).emit;
    if (before) Object.defineProperty(cluster, 'emit', before);
  }
}
