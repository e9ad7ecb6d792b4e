// HTTP/2 over TLS: streams at the same time on one connection, in both directions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { cert, key } from '../certificate.js';
import { sampleBytes } from '../support.js';

const server = createSecureServer({ key, cert });
server.on('stream', (stream, headers) => {
  stream.respond({ ':status': 200, 'x-path': headers[':path'] ?? '' });
  stream.pipe(stream);
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const client = connect(`https://localhost:${(server.address() as AddressInfo).port}`, { ca: cert });
const body = sampleBytes(200_000);
await Promise.all(
  Array.from({ length: 20 }, async (_, i) => {
    const stream = client.request({ ':method': 'POST', ':path': `/${i}` });
    stream.end(body);
    const [headers] = await once(stream, 'response');
    assert.equal(headers['x-path'], `/${i}`);
    assert.ok((await buffer(stream)).equals(body));
  }),
);
client.close();
server.close();
await once(server, 'close');
