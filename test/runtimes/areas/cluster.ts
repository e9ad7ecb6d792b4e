// cluster: workers share a port with their primary, answer, and end.
import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';

if (cluster.isWorker) {
  createServer((_req, res) => res.setHeader('connection', 'close').end(String(process.pid))).listen(0, '127.0.0.1');
} else {
  const workers = [cluster.fork(), cluster.fork()];
  const [first] = await Promise.all(workers.map((worker) => once(worker, 'listening')));
  const { port } = (first as [{ port: number }])[0];
  const seen = new Set<number>();
  while (seen.size < workers.length) seen.add(Number(await (await fetch(`http://127.0.0.1:${port}`)).text()));
  assert.deepEqual([...seen].sort(), workers.map((worker) => worker.process.pid).sort());
  for (const worker of workers) worker.disconnect();
  const ends = await Promise.all(workers.map((worker) => once(worker, 'exit')));
  assert.deepEqual(ends, [
    [0, null],
    [0, null],
  ]);
}
