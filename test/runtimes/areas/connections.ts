// Connections that are open at a fork: the parent alone goes on with them, over HTTP, TLS, HTTP/2, and as a client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { cert, key } from '../certificate.js';
import { inChild, scratchFolder } from '../support.js';

const POSTS = 100;

function noEvent(): never {
  throw new Error('an event of a connection of the parent');
}

/** Of a server: that it has no connection left, which is when close() calls back. */
async function closes(server: http.Server | http2.Http2Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

for (const { createServer: create, Agent, request } of [http, https] as (typeof https)[]) {
  const server = create({ key, cert }, async (req, res) => res.end(await text(req)));
  const accepted: { destroyed: boolean; on(event: 'close', listener: () => void): unknown }[] = [];
  server.on('connection', (socket) => accepted.push(socket)).on('secureConnection', (socket) => accepted.push(socket));
  server.keepAliveTimeout = 0;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, ca: cert, maxSockets: POSTS });
  const post = async () => {
    const [res] = await once(
      request({ host: 'localhost', family: 4, port, agent, method: 'POST' }).end('x'),
      'response',
    );
    assert.equal(await text(res), 'x');
  };
  const postAll = async () => void (await Promise.all(Array.from({ length: POSTS }, post)));
  await postAll();
  const parent = process.pid;
  for (const socket of accepted) socket.on('close', () => process.pid !== parent && noEvent());
  // Both ends of them are here, and in the child: it lets go of both.
  await inChild(async () => {
    assert.ok(accepted.every(({ destroyed }) => destroyed));
    await closes(server);
    while (Object.keys(agent.freeSockets).length > 0) await new Promise(setImmediate);
  }, postAll);
  await postAll();
  assert.equal(accepted.length, server instanceof https.Server ? 2 * POSTS : POSTS);
  agent.destroy();
  await closes(server);
}

// HTTP/2, with a stream that is under way.
const h2 = http2.createSecureServer({ key, cert });
h2.on('stream', (stream) => {
  stream.respond();
  stream.pipe(stream);
});
await once(h2.listen(0, '127.0.0.1'), 'listening');
const session = http2.connect(`https://localhost:${(h2.address() as AddressInfo).port}`, { ca: cert });
const open = session.request({ ':method': 'POST' }).setEncoding('utf8');
open.write('before');
assert.equal((await once(open, 'data'))[0], 'before');
await inChild(
  () => closes(h2),
  async () => {
    open.end('after');
    assert.equal(await text(open), 'after');
  },
);
const later = session.request({ ':method': 'POST' });
later.end('later');
assert.equal(await text(later), 'later');
session.close();
await closes(h2);

// TCP and Unix sockets: who writes to the child's copy of an outgoing one gets an error, and nothing until then.
for (const address of [{ port: 0, host: '127.0.0.1' }, { path: join(scratchFolder(), 'socket') }]) {
  const listener = createServer((socket) => socket.pipe(socket));
  await once(listener.listen(address), 'listening');
  const bound = listener.address();
  const reach = () => connect(typeof bound === 'string' ? { path: bound } : { port: (bound as AddressInfo).port });
  const [referenced, pooled] = [reach(), reach()] as const;
  await Promise.all([once(referenced, 'connect'), once(pooled, 'connect')]);
  pooled.unref();
  const say = async (word: string) => {
    referenced.write(word);
    assert.equal(String((await once(referenced, 'data'))[0]), word);
  };
  await say('before');
  await inChild(
    async () => {
      await once(pooled, 'close');
      assert.equal(referenced.destroyed, false);
      referenced.write('from the child');
      const [error] = await once(referenced, 'error');
      assert.equal(error.code, 'EPIPE');
    },
    () => say('meanwhile'),
  );
  await say('after');
  const echo = reach();
  echo.end('a new one');
  assert.equal(await text(echo), 'a new one');
  assert.equal(pooled.destroyed, false);
  referenced.destroy();
  pooled.destroy();
  listener.close();
  await once(listener, 'close');
}
