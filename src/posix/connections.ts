// In a forked process: copies of its parent's connections.
import { createRequire } from 'node:module';
import type { Server, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { silence } from './silence.js';

const require = createRequire(import.meta.filename);

/** What node:net, node:http and node:tls keep in a socket. */
interface Inner {
  /** The server that accepted it; `server`, if node:http was given it. */
  _server: Server | null;
  server?: Server;
  /** Of node:http: what reads requests, and is in the server's list of connections. */
  parser?: { remove?(): void } | null;
  /** Of node:http: the request whose answer is awaited. */
  _httpMessage?: { agent?: { requests: Record<string, unknown> } } | null;
}

/**
 * Lets go of a connection. What is under way on it goes on in the parent alone, and nothing of it is reported here:
 *
 * - one that a server accepted is destroyed, and out of the server's count;
 * - one that a pool keeps for later, without a reference, is closed as if the other end had done it: the pool forgets it;
 * - one with a request of node:http under way is destroyed, and out of its agent's count;
 * - any other one has to be severed: whoever writes to it gets EPIPE, and connects anew.
 */
export function leaveConnection(socket: Socket, referenced: boolean): 'left' | 'sever' {
  const { _server: acceptedBy, server } = socket as unknown as Inner;
  const isRequest = socket.listenerCount('agentRemove') > 0;
  // One that is being made would be tried again at the next address.
  if (acceptedBy || server || socket.connecting || (isRequest && referenced)) {
    if (isRequest) leaveRequest(socket);
    destroyQuietly(socket);
  } else if (referenced) {
    socket.setTimeout(0);
    return 'sever';
  } else {
    socket.destroy();
  }
  return 'left';
}

/** Closes the copy, which sends nothing. Nothing is reported: nothing has happened to the connection. */
export function destroyQuietly(socket: Socket): void {
  for (const one of [...tlsOver(socket), socket]) {
    (one as unknown as Inner).parser?.remove?.();
    silence(one);
    one.destroy();
  }
}

/** An agent with a limit would let requests of this process wait for the end of the parent's. */
function leaveRequest(socket: Socket): void {
  const { requests = {} } = (socket as unknown as Inner)._httpMessage?.agent ?? {};
  for (const name of Object.keys(requests)) delete requests[name];
  socket.emit('agentRemove');
}

/**
 * The socket that a TLS server has made over a connection. Only a listener of the connection knows it, by which it ends with
 * it; so that listener is called, and destroy() told apart.
 */
function tlsOver(socket: Socket): TLSSocket[] {
  const server = (socket as unknown as Inner)._server;
  if (!server || !('setSecureContext' in server)) return [];
  const { prototype } = (require('node:tls') as typeof import('node:tls')).TLSSocket;
  const before = Object.getOwnPropertyDescriptor(prototype, 'destroy');
  const found: TLSSocket[] = [];
  prototype.destroy = function destroy(this: TLSSocket) {
    found.push(this);
    return this;
  };
  try {
    for (const listener of socket.listeners('close')) {
      if (String(listener) === '() => this.destroy()') listener.call(socket);
    }
  } finally {
    delete (prototype as { destroy?: unknown }).destroy;
    if (before) Object.defineProperty(prototype, 'destroy', before);
  }
  return found;
}
