// Worker threads made in this process: messages, shared memory, transfer, termination, errors.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  BroadcastChannel,
  isMainThread,
  MessageChannel,
  parentPort,
  receiveMessageOnPort,
  Worker,
} from 'node:worker_threads';

const file = new URL(import.meta.url);
if (!isMainThread) {
  parentPort?.on('message', ({ memory, port, bytes }) => {
    const words = new Int32Array(memory);
    Atomics.wait(words, 0, 0);
    Atomics.add(words, 1, 41);
    Atomics.notify(words, 1);
    port.postMessage(bytes, [bytes.buffer]);
  });
} else {
  const workers = Array.from({ length: 4 }, () => new Worker(file));
  await Promise.all(
    workers.map(async (worker) => {
      const memory = new SharedArrayBuffer(8);
      const words = new Int32Array(memory);
      const { port1, port2 } = new MessageChannel();
      const bytes = new Uint8Array([1, 2, 3]);
      worker.postMessage({ memory, port: port2, bytes }, [port2, bytes.buffer]);
      assert.equal(bytes.byteLength, 0);
      Atomics.store(words, 0, 1);
      Atomics.notify(words, 0);
      const [back] = (await once(port1, 'message')) as [Uint8Array];
      assert.deepEqual([...back], [1, 2, 3]);
      assert.equal(Atomics.load(words, 1), 41);
      port1.close();
      assert.equal(await worker.terminate(), 1);
    }),
  );

  const busy = new Worker('for (;;) new Array(1000).fill(Math.random())', { eval: true });
  await once(busy, 'online');
  assert.equal(await busy.terminate(), 1);

  const failing = new Worker('throw new RangeError("in the worker")', { eval: true });
  const [error] = await once(failing, 'error');
  assert.match(String(error), /RangeError: in the worker/);

  const exiting = new Worker('process.exit(9)', { eval: true });
  assert.deepEqual(await once(exiting, 'exit'), [9]);

  const { port1, port2 } = new MessageChannel();
  port1.postMessage('synchronous');
  assert.deepEqual(receiveMessageOnPort(port2), { message: 'synchronous' });
  port1.close();

  const speaker = new BroadcastChannel('area');
  const listener = new Worker(
    `const { BroadcastChannel, parentPort } = require('worker_threads');
     const channel = new BroadcastChannel('area');
     channel.onmessage = ({ data }) => { parentPort.postMessage(data * 2); channel.close(); };
     parentPort.postMessage('ready');`,
    { eval: true },
  );
  await once(listener, 'message');
  speaker.postMessage(21);
  assert.deepEqual(await once(listener, 'message'), [42]);
  speaker.close();
}
