// A primary of node:cluster with children of every kind, forked again and again: no request and no message is lost, no child
// of the parent is harmed, and each forked child ends by itself.
import assert from 'node:assert/strict';
import { type ChildProcess, exec, fork as forkNode, spawn } from 'node:child_process';
import cluster, { type Address, type Worker } from 'node:cluster';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import type { ListenOptions } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { fork } from 'posix-daemon';
import { ended, scratchFolder } from '../support.js';

const FORKS = 50;

if (process.argv[2] === 'echo') {
  process.on('message', (message) => process.send?.(message));
} else if (cluster.isWorker) {
  const serve = (address: ListenOptions) => createServer(async (req, res) => res.end(await text(req))).listen(address);
  serve({ port: 0, host: '127.0.0.1' }).once('listening', () => serve({ path: process.argv[2] as string }));
} else {
  await exercise();
}

async function exercise(): Promise<void> {
  const socketPath = join(scratchFolder(), 'socket');
  cluster.setupPrimary({ args: [socketPath] });
  const workers = [cluster.fork(), cluster.fork()];
  const addresses = await Promise.all(workers.map(listening));
  const port = (addresses.flat().find(({ port }) => port > 0) as Address).port;
  const cats = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? spawn('cat') : exec('cat')));
  const peers = Array.from({ length: 6 }, () => forkNode(fileURLToPath(import.meta.url), ['echo']));
  for (const one of [...cats.slice(0, 3), ...peers.slice(0, 3)]) one.unref();
  // What many programs do; a forked child does it, too.
  process.on('exit', () => {
    for (const one of [...cats, ...peers, ...workers.map((worker) => worker.process)]) one.kill();
  });

  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  let answered = 0;
  const post = async (through: Agent | false, path?: string) => {
    const where = path === undefined ? { host: '127.0.0.1', port } : { socketPath: path };
    const [res] = await once(request({ ...where, method: 'POST', agent: through }).end('body'), 'response');
    assert.equal(await text(res), 'body');
    answered++;
  };
  await Promise.all([post(agent), post(agent)]);
  for (let n = 0; n < FORKS; n++) {
    const underWay = Promise.all([post(agent), post(false), ...peers.map((peer) => echo(peer, `before ${n}`))]);
    const pid = fork();
    if (pid === 0) return inForkedChild([...cats, ...peers], workers);
    await underWay;
    await Promise.all([
      ...[agent, agent, false as const].map((through) => post(through)),
      post(false, socketPath),
      ...cats.map((cat) => echoLine(cat, `line ${n}`)),
      ...peers.map((peer) => echo(peer, `after ${n}`)),
    ]);
    const { exitCode, signal } = await ended(pid);
    assert.deepEqual({ exitCode, signal }, { exitCode: 0, signal: null });
  }
  assert.equal(answered, 2 + 6 * FORKS);

  agent.destroy();
  for (const cat of cats) cat.stdin?.end();
  for (const one of [...peers, ...workers]) one.disconnect();
  const processes = [...cats, ...peers, ...workers.map((worker) => worker.process)];
  for (const one of processes) one.ref();
  for (const one of processes) if (one.exitCode === null) await once(one, 'exit');
  assert.deepEqual(
    processes.map(({ exitCode, signalCode }) => exitCode ?? signalCode),
    processes.map(() => 0),
  );
}

/** The addresses of both its servers. */
function listening(worker: Worker): Promise<Address[]> {
  const addresses: Address[] = [];
  return new Promise((resolve) => {
    worker.on('listening', (address) => {
      if (addresses.push(address) === 2) resolve(addresses);
    });
  });
}

// It returns, with nothing left that would keep it alive.
function inForkedChild(children: readonly ChildProcess[], workers: readonly Worker[]): void {
  const report = () => {
    throw new Error('an event of a child of the parent');
  };
  for (const one of [...children, ...workers, ...workers.map((worker) => worker.process)]) {
    for (const event of ['exit', 'close', 'disconnect', 'message']) one.on(event, report);
  }
  cluster.on('exit', report).on('disconnect', report);
  assert.deepEqual(Object.keys(cluster.workers ?? {}), []);
  assert.ok(workers.every((worker) => !worker.isConnected() && !worker.process.kill()));
  assert.ok(children.every((one) => !one.kill('SIGKILL') && !one.connected));
}

async function echo(peer: ChildProcess, message: string): Promise<void> {
  const reply = new Promise<void>((resolve) => {
    peer.on('message', function listen(answer) {
      if (answer !== message) return;
      peer.off('message', listen);
      resolve();
    });
  });
  peer.send(message);
  await reply;
}

async function echoLine(cat: ChildProcess, line: string): Promise<void> {
  cat.stdin?.write(line);
  for (let got = ''; got !== line; ) got += (await once(cat.stdout as NodeJS.EventEmitter, 'data'))[0];
}
