// HTTP both ways: keep-alive, large bodies, chunks, many at once, fetch.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { sampleBytes } from '../support.js';

const server = createServer(async (req, res) => {
  if (req.url === '/echo') res.end(await buffer(req));
  else if (req.url === '/chunks') {
    for (let i = 0; i < 20; i++) {
      res.write(`${i};`);
      await new Promise(setImmediate);
    }
    res.end();
  } else res.setHeader('x-pid', process.pid).end(`you asked for ${req.url}`);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;
const agent = new Agent({ keepAlive: true, maxSockets: 4 });

async function ask(path: string, body?: Buffer): Promise<IncomingMessage> {
  const req = request({ port, path, agent, method: body ? 'POST' : 'GET' }).end(body);
  const [res] = await once(req, 'response');
  return res;
}

const first = await ask('/first');
assert.equal(first.headers['x-pid'], String(process.pid));
assert.equal(await text(first), 'you asked for /first');

const body = sampleBytes(2 << 20);
assert.ok((await buffer(await ask('/echo', body))).equals(body));
assert.equal(await text(await ask('/chunks')), `${Array.from({ length: 20 }, (_, i) => i).join(';')};`);

const answers = await Promise.all(Array.from({ length: 200 }, async (_, i) => text(await ask(`/${i}`))));
for (const [i, answer] of answers.entries()) assert.equal(answer, `you asked for /${i}`);

const fetched = await fetch(`http://127.0.0.1:${port}/echo`, { method: 'POST', body: new Uint8Array(body) });
assert.ok(Buffer.from(await fetched.arrayBuffer()).equals(body));

agent.destroy();
server.close();
server.closeAllConnections();
await once(server, 'close');
await assert.rejects(ask('/closed'), { code: 'ECONNREFUSED' });
