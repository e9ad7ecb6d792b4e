// An HTTP client that costs much less than any server: fixed requests over raw keep-alive connections, so that what is
// measured is the server.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const request = Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
const headEnd = '\r\n\r\n';

/** Sends one request and waits for the whole response. */
function exchange(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    let missing = -1;
    let received = 0;
    const onData = (chunk: Buffer) => {
      if (missing < 0) {
        const body = chunk.indexOf(headEnd) + headEnd.length;
        const length = /^content-length: (\d+)/im.exec(chunk.toString('latin1', 0, body))?.[1];
        if (length === undefined) return finish(new Error('a response without Content-Length in its first packet'));
        missing = body + Number(length);
      }
      received += chunk.length;
      if (received >= missing) finish();
    };
    const onClose = () => finish(new Error('the server closed the connection'));
    const finish = (error?: Error) => {
      socket.off('data', onData).off('close', onClose);
      if (error) reject(error);
      else resolve();
    };
    socket.on('data', onData).on('close', onClose);
    socket.write(request);
  });
}

/** Sends `count` requests over `connections` keep-alive connections; answers requests a second. */
export async function requestsPerSecond(port: number, count: number, connections = 8): Promise<number> {
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(port, '127.0.0.1').setNoDelay();
      await once(socket, 'connect');
      // A server that dies resets its connections; their close tells as much.
      socket.on('error', () => {});
      return socket;
    }),
  );
  let left = count;
  const start = performance.now();
  try {
    await Promise.all(
      sockets.map(async (socket) => {
        while (left-- > 0) await exchange(socket);
      }),
    );
    return (count / (performance.now() - start)) * 1000;
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
