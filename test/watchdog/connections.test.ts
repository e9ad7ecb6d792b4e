import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startWatchdog } from '../helpers/watchdog.js';

test('a connection that was accepted before the call of watchdog() is closed, and a new one is served', async (t) => {
  const watched = startWatchdog(t, {
    workers: 2,
    before: async ({ net, say }) => {
      const server = net.createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      say({ port: (server.address() as { port: number }).port });
      await new Promise((resolve) => server.once('connection', resolve));
      server.on('connection', (socket) => socket.end(`${process.pid}`));
    },
  });
  const port = await watched.said<number>('port');
  const early = connect(port, '127.0.0.1').resume();
  t.after(() => early.destroy());
  await once(early, 'close');
  const workers = await watched.workers(2);
  const served = Number(await text(connect(port, '127.0.0.1')));
  assert.ok(workers.some(({ pid }) => pid === served));
});

test('a program that was started before the call is no worker’s to end', async (t) => {
  const watched = startWatchdog(t, {
    before: ({ child_process, state, say }) => {
      const cat = child_process.spawn('cat');
      state.cat = cat;
      say({ cat: cat.pid });
    },
    inWorker: ({ state, say }) => {
      say({ killed: (state.cat as ChildProcess).kill('SIGKILL') });
      setInterval(() => {}, 1_000_000);
    },
  });
  const cat = watched.hold(await watched.said<number>('cat'));
  await watched.worker();
  assert.equal(await watched.said('killed'), false);
  assert.equal(cat.alive, true);
});
