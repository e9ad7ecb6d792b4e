// TLS: https requests, a refused certificate, a resumed session, raw sockets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { connect, type TLSSocket } from 'node:tls';
import { cert, key } from '../certificate.js';
import { inBoth, sampleBytes } from '../support.js';

const body = sampleBytes(500_000);

async function exercise(): Promise<void> {
  const server = createServer({ key, cert }, async (req, res) => res.end(await buffer(req)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ ca: cert, keepAlive: true, maxSockets: 3 });
  await Promise.all(
    Array.from({ length: 12 }, async () => {
      const req = request({ host: 'localhost', family: 4, port, agent, method: 'POST' }).end(body);
      const [res] = await once(req, 'response');
      assert.ok((await buffer(res)).equals(body));
    }),
  );
  agent.destroy();

  const untrusted = request({ host: 'localhost', family: 4, port, agent: false }).end();
  const [refusal] = await once(untrusted, 'error');
  assert.equal(refusal.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');

  const one = { host: '127.0.0.1', port, ca: cert, maxVersion: 'TLSv1.2' as const };
  const first = connect(one);
  await once(first, 'secureConnect');
  const session = first.getSession();
  assert.ok(session);
  first.destroy();
  const second = connect({ ...one, session });
  await once(second, 'secureConnect');
  assert.equal(second.isSessionReused(), true);
  await hello(second);
  second.destroy();
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

async function hello(socket: TLSSocket): Promise<void> {
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello');
  assert.match((await buffer(socket)).toString('latin1'), /^HTTP\/1.1 200 OK.*hello$/s);
}

await exercise();
await inBoth(exercise);
