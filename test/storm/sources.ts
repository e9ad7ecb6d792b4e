// The kinds of callback from which the storm forks. Each source arranges for its kind of callback to come once, and calls
// `fire` from within it.
import { spawn } from 'node:child_process';
import { pbkdf2 } from 'node:crypto';
import { lookup } from 'node:dns';
import { createReadStream, readFile } from 'node:fs';
import * as promises from 'node:fs/promises';
import { createServer as createHttpServer, get } from 'node:http';
import { type AddressInfo, connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { MessageChannel, Worker } from 'node:worker_threads';
import { gzip } from 'node:zlib';

type Source = (fire: () => void) => void;

const file = fileURLToPath(import.meta.url);
const echo = new Worker(
  'const { parentPort } = require("worker_threads"); parentPort.on("message", (m) => parentPort.postMessage(m));',
  {
    eval: true,
  },
);
echo.unref();

function http(fire: () => void, at: 'request' | 'response'): void {
  const server = createHttpServer((_request, response) => {
    if (at === 'request') fire();
    response.end('answer');
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    get({ port, agent: false }, (response) => {
      response.resume().once('close', () => server.close());
      if (at === 'response') fire();
    });
  });
}

function net(fire: () => void, at: 'connection' | 'data'): void {
  const server = createServer((far) => {
    server.close();
    far.end('greeting');
    if (at === 'connection') fire();
  });
  server.listen(0, '127.0.0.1', () => {
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
    near.once('data', () => {
      if (at === 'data') fire();
      near.destroy();
    });
  });
}

function program(fire: () => void, at: 'exit' | 'data'): void {
  const child = spawn('echo', ['output'], { stdio: ['ignore', 'pipe', 'ignore'] });
  if (at === 'exit') child.once('exit', fire).stdout.resume();
  else child.stdout.once('data', fire);
}

export const SOURCES: Readonly<Record<string, Source>> = {
  setTimeout: (fire) => setTimeout(fire, 1),
  setImmediate: (fire) => setImmediate(fire),
  nextTick: (fire) => process.nextTick(fire),
  microtask: (fire) => queueMicrotask(fire),
  promise: (fire) => void promises.access(file).then(fire),
  'fs callback': (fire) => readFile(file, () => fire()),
  'fs promise': async (fire) => {
    await promises.readFile(file);
    fire();
  },
  'stream data': (fire) => createReadStream(file).once('data', fire),
  'http request': (fire) => http(fire, 'request'),
  'http response': (fire) => http(fire, 'response'),
  'net connection': (fire) => net(fire, 'connection'),
  'net data': (fire) => net(fire, 'data'),
  'dns lookup': (fire) => lookup('localhost', () => fire()),
  'zlib callback': (fire) => gzip('text', () => fire()),
  'crypto callback': (fire) => pbkdf2('secret', 'salt', 100, 16, 'sha1', () => fire()),
  'child_process exit': (fire) => program(fire, 'exit'),
  'child_process data': (fire) => program(fire, 'data'),
  'signal handler': (fire) => {
    process.once('SIGUSR2', fire);
    process.kill(process.pid, 'SIGUSR2');
  },
  'Worker message': (fire) => {
    echo.ref();
    echo.once('message', () => {
      echo.unref();
      fire();
    });
    echo.postMessage('there and back');
  },
  'MessagePort message': (fire) => {
    const { port1, port2 } = new MessageChannel();
    port1.once('message', () => {
      port1.close();
      fire();
    });
    port2.postMessage('');
  },
  'vm context': (fire) => runInNewContext('fire()', { fire }),
};
