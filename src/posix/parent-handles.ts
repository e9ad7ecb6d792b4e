// What a forked process has copies of in its event loop that is its parent's: programs the parent has started, their pipes
// and IPC channels, connections. Both would read from them, and each get a part.
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { type LoopStream, native } from '../native.js';
import { destroyQuietly, leaveConnection } from './connections.js';
import { disarm, leaveChannels, leaveOwnChannel } from './foreign-children.js';

// Loaded by then if there is anything of theirs; Node takes milliseconds to load them where there isn't.
const require = createRequire(import.meta.filename);

export interface LeftToParent {
  /** The parent's processes: their handles only, or their pipes and channels as well, and the channel of this process. */
  children?: 'handles' | 'all';
  connections?: boolean;
}

/** Node's wrap of a libuv handle, where no object of JavaScript's owns it. */
interface Wrap {
  fd: number;
  close(): void;
}

// Of the processes whose memory this is: each has made the pipes to its own children.
const makers: number[] = [];

/**
 * In a forked process, before any callback runs in it: closes its copies, with no event, and so that the parent and those at
 * the other end notice nothing.
 *
 * @param forker the process that was forked
 */
export function leaveToParent(forker: number, { children, connections = false }: LeftToParent): void {
  makers.push(forker);
  const { processes, unconnected, streams } = native.loopStreams(makers);
  if (!processes && !unconnected && streams.length === 0) return;
  const owners = native.withAllReferenced(activeHandles);
  const channels = streams.filter(({ kind }) => kind === 'channel');
  if (children !== undefined && processes) {
    const { ChildProcess: Child } = require('node:child_process') as typeof import('node:child_process');
    const copies = owners.filter((owner): owner is ChildProcess => owner instanceof Child);
    if (children === 'all') leaveChannels(copies);
    for (const copy of copies) disarm(copy);
  }
  if (children === 'all' && channels.length > 0) leaveOwnChannel();
  if (connections && unconnected) for (const socket of sockets(owners)) if (socket.connecting) destroyQuietly(socket);
  leaveStreams(
    streams.filter(({ kind }) => (kind === 'connection' ? connections : children === 'all')),
    owners,
  );
}

/** In a process whose event loop stands still from now on: nobody would read from them, and the other ends would wait. */
export function letGoOfConnections(): void {
  leaveToParent(process.pid, { connections: true });
}

/** Undocumented, but all that there is; nothing in its stead has the objects. */
function activeHandles(): object[] {
  return (process as unknown as { _getActiveHandles(): object[] })._getActiveHandles();
}

function sockets(owners: readonly object[]): Socket[] {
  const { Socket: NetSocket } = require('node:net') as typeof import('node:net');
  return owners.filter((owner): owner is Socket => owner instanceof NetSocket);
}

function descriptorOf(socket: Socket): number | undefined {
  return (socket as unknown as { _handle: { fd: number } | null })._handle?.fd;
}

function isWrap(owner: object): owner is Wrap {
  return typeof (owner as Wrap).fd === 'number' && typeof (owner as Wrap).close === 'function';
}

function leaveStreams(streams: readonly LoopStream[], owners: readonly object[]): void {
  if (streams.length === 0) return;
  const socketOf = new Map(sockets(owners).map((socket) => [descriptorOf(socket), socket]));
  const wrapOf = new Map(owners.filter(isWrap).map((wrap) => [wrap.fd, wrap]));
  const severed: number[] = [];
  for (const { fd, kind, referenced } of streams) {
    const socket = socketOf.get(fd);
    const wrap = wrapOf.get(fd);
    if (wrap) wrap.close();
    else if (socket && kind === 'child') destroyQuietly(socket);
    // Without either, it is just being sent to another process.
    else if (!socket || leaveConnection(socket, referenced) === 'sever') severed.push(fd);
  }
  if (severed.length > 0) native.severStreams(severed);
}
