// An HTTP server that listened before the fork serves from either side, and a client's pool of connections that were
// open at the fork belongs to whoever goes on with it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { inBoth, inChild } from '../support.js';

const server = createServer((req, res) => res.end(`${process.pid} ${req.url}`));
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = server.address() as AddressInfo;
const agent = new Agent({ keepAlive: true });
const parent = process.pid;

async function ask(path: string, through: Agent | false): Promise<string> {
  const [res] = await once(get({ port, path, agent: through }), 'response');
  return text(res);
}

assert.equal(await ask('/before', agent), `${parent} /before`);

// The child drops the listening socket, so its requests reach the parent.
await inChild(async () => {
  server.close();
  assert.equal(await ask('/to-parent', false), `${parent} /to-parent`);
});
// The pooled connection is the parent's still.
assert.equal(await ask('/pooled', agent), `${parent} /pooled`);
agent.destroy();
server.close();
server.closeAllConnections();
await once(server, 'close');

// A server of each side's own.
await inBoth(async () => {
  const own = createServer((_req, res) => res.end(String(process.pid)));
  await once(own.listen(0, '127.0.0.1'), 'listening');
  for (let i = 0; i < 50; i++) {
    const [res] = await once(get({ port: (own.address() as AddressInfo).port }), 'response');
    assert.equal(await text(res), String(process.pid));
  }
  own.close();
  own.closeAllConnections();
});
