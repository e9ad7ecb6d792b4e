// UDP, also through a socket that was bound before the fork.
import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { inChild } from '../support.js';

type Send = (message: string, port: number, address: string, sent: (error: Error | null) => void) => void;

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

const a = await bound();
const b = await bound();
for (let i = 0; i < 50; i++) {
  a.send(`datagram ${i}`, b.address().port, '127.0.0.1');
  const [message, from] = await once(b, 'message');
  assert.equal(String(message), `datagram ${i}`);
  assert.equal(from.port, a.address().port);
}

const { port } = b.address();

// The child answers over a socket that was bound before the fork. Only it keeps that one.
await inChild(
  async () => {
    a.close();
    const [message, from] = await once(b, 'message');
    await promisify(b.send.bind(b) as Send)(`${message} heard by ${process.pid}`, from.port, '127.0.0.1');
  },
  async () => {
    b.close();
    a.send('hello', port, '127.0.0.1');
    const [reply] = await once(a, 'message');
    assert.match(String(reply), /^hello heard by \d+$/);
    assert.notEqual(String(reply), `hello heard by ${process.pid}`);
    a.close();
  },
);
