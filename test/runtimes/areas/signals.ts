// Signals: handlers from before the fork and after it, to oneself and between parent and child; default actions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { forked, inBoth, inChild } from '../support.js';

async function toMyself(signal: NodeJS.Signals): Promise<void> {
  const heard = once(process, signal);
  process.kill(process.pid, signal);
  const hold = setInterval(() => {}, 1000);
  assert.deepEqual((await heard)[0], signal);
  clearInterval(hold);
}

await toMyself('SIGUSR2');

let inherited = 0;
process.on('SIGHUP', () => inherited++);
await inBoth(async () => {
  await toMyself('SIGHUP');
  assert.equal(inherited, 1); // the other side's signal is not ours
  for (let i = 0; i < 100; i++) await toMyself('SIGUSR2');
  await toMyself('SIGTERM'); // first handler for it: libuv installs one
  await toMyself('SIGWINCH');
});
process.removeAllListeners('SIGHUP');
inherited = 0;

// The parent signals the child when that says it listens, over a socket that joins the two.
const server = createServer();
await once(server.listen(0, '127.0.0.1'), 'listening');
const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
const [far] = (await once(server, 'connection')) as [Socket];
server.close();
await inChild(
  async () => {
    far.destroy();
    const heard = once(process, 'SIGUSR2');
    near.write(String(process.pid));
    await heard;
    near.destroy();
  },
  async () => {
    near.destroy();
    const [pid] = await once(far, 'data');
    process.kill(Number(pid), 'SIGUSR2');
    far.resume();
    await once(far, 'close');
  },
  { connections: 'share' },
);

// Without a handler a signal ends the child, and the status says which.
for (const signal of ['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP'] as const) {
  const end = await forked(async () => {
    process.kill(process.pid, signal);
    await new Promise(() => setInterval(() => {}, 1000));
  });
  assert.deepEqual([end.exitCode, end.signal], [null, signal]);
}
