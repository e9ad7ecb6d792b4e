// TCP and Unix sockets: those made after the fork, those that listened before it, those connected before it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { inChild, scratchFolder } from '../support.js';

const parent = process.pid;

// A Unix socket, all of it after the fork.
const path = join(scratchFolder(), 'socket');
const local = createServer((socket) => socket.pipe(socket));
await once(local.listen(path), 'listening');
const echo = connect(path);
echo.end('through the file system');
assert.equal(await text(echo), 'through the file system');
local.close();
await once(local, 'close');

// A listening socket is shared: when the parent has closed its own, the child goes on accepting.
const shared = createServer((socket) => socket.end(String(process.pid)));
await once(shared.listen(0, '127.0.0.1'), 'listening');
const { port } = shared.address() as AddressInfo;
await inChild(
  async () => {
    await once(shared, 'connection');
    shared.close();
    await once(shared, 'close');
  },
  async () => {
    shared.close();
    const answer = Number(await text(connect(port, '127.0.0.1')));
    assert.ok(answer > 0 && answer !== parent);
  },
);
await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });

// A connection made before the fork joins parent and child when each keeps one end.
const server = createServer();
await once(server.listen(0, '127.0.0.1'), 'listening');
const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
const [far] = (await once(server, 'connection')) as [Socket];
server.close();
await inChild(
  async () => {
    far.destroy();
    near.write('from the child');
    const [reply] = await once(near, 'data');
    assert.equal(String(reply), 'from the parent');
    near.destroy();
  },
  async () => {
    near.destroy();
    const [heard] = await once(far, 'data');
    assert.equal(String(heard), 'from the child');
    far.write('from the parent');
    await once(far.resume(), 'end'); // the child held the last copy of its end
    far.destroy();
  },
  { connections: 'share' },
);
