// Names: getaddrinfo through the pool, and the resolver against a name server of our own.
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { lookup, promises } from 'node:dns';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { inBoth } from '../support.js';

// Answers each question with one A record, 10.20.30.40.
async function nameServer(): Promise<ReturnType<typeof createSocket>> {
  const socket = createSocket('udp4');
  socket.on('message', (query, from) => {
    const answer = Buffer.from('c00c00010001000000000004' + '0a141e28', 'hex');
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    const header = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    socket.send(Buffer.concat([header, question, answer]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function lookUp(): Promise<void> {
  const addresses = await Promise.all(Array.from({ length: 30 }, () => promisify(lookup)('localhost', { family: 4 })));
  for (const { address } of addresses) assert.equal(address, '127.0.0.1');
  assert.deepEqual(await promises.lookup('127.0.0.2'), { address: '127.0.0.2', family: 4 });
}

async function resolveWith(resolver: promises.Resolver): Promise<void> {
  const server = await nameServer();
  resolver.setServers([`127.0.0.1:${server.address().port}`]);
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => resolver.resolve4(`host-${i}.example`)));
  for (const answer of answers) assert.deepEqual(answer, ['10.20.30.40']);
  server.close();
}

const resolver = new promises.Resolver();
await lookUp();
await resolveWith(resolver);
await inBoth(async () => {
  await lookUp();
  await resolveWith(resolver);
  await resolveWith(new promises.Resolver());
});
