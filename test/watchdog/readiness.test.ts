// When a worker is ready: seen by the starter of a daemon, which goes when all workers are.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findDaemon, type WatchdogOptions } from 'posix-daemon';
import { whenReachable } from '#dist/watchdog/port.js';
import { temporaryDirectory } from '../helpers/exec.js';
import { fixturePath, startProgram, until } from '../helpers/fixture.js';
import { stageOf, startWatchdog } from '../helpers/watchdog.js';

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts a daemon that is a watchdog, and returns when its starter has gone. */
async function startDaemon(t: TestContext, folder: string, options: WatchdogOptions, inWorker: string): Promise<void> {
  const pidFile = join(folder, 'pid');
  const before = `({ posix }) => posix.daemonize({ pidFile: ${JSON.stringify(pidFile)}, ready: 'manual' })`;
  const stage = stageOf({ ...options, before: before as never, inWorker: inWorker as never });
  const { code, stderr } = await startProgram(t, process.execPath, [fixturePath('watchdog'), stage]).outcome;
  const daemon = findDaemon(pidFile);
  t.after(() => daemon?.signal('SIGKILL'));
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.ok(daemon);
}

test('a worker with a port is ready when it listens there', async (t) => {
  const folder = temporaryDirectory(t);
  const port = await unusedPort();
  const listening = join(folder, 'listening');
  await startDaemon(
    t,
    folder,
    { readiness: { port } },
    `({ fs, net }) => setTimeout(() => {
      fs.writeFileSync(${JSON.stringify(listening)}, '');
      net.createServer().listen(${port}, '127.0.0.1');
    }, 200)`,
  );
  assert.ok(existsSync(listening));
});

test('a socket that has been connected to itself is no open port', async (t) => {
  const port = await unusedPort();
  let looks = 0;
  let reachable = false;
  const address = {
    get host() {
      looks++;
      return '127.0.0.1';
    },
    port,
    // What the kernel chooses by itself once in so many attempts.
    localPort: port,
  };
  t.after(
    whenReachable(address, () => {
      reachable = true;
    }),
  );
  await until('further attempts', () => reachable || looks > 20);
  assert.equal(reachable, false);
});

test('a worker with a port that it never listens at is killed and replaced', async (t) => {
  const watched = startWatchdog(t, { readiness: { port: await unusedPort() }, readyTimeoutMs: 100 });
  const { pid } = await watched.worker();
  const exit = await watched.exit();
  assert.deepEqual([exit.pid, exit.signal, exit.reason], [pid, 'SIGKILL', 'ready']);
  await watched.worker();
});

test('a worker that is ready by staying up is so after that time, however busy it is', async (t) => {
  const folder = temporaryDirectory(t);
  const started = join(folder, 'started');
  await startDaemon(
    t,
    folder,
    { readiness: { upMs: 500 }, readyTimeoutMs: 1 },
    `({ fs }) => {
      fs.writeFileSync(${JSON.stringify(started)}, String(process.hrtime.bigint()));
      for (;;);
    }`,
  );
  const upMs = Number(process.hrtime.bigint() - BigInt(readFileSync(started, 'utf8'))) / 1e6;
  // It began some milliseconds before it could look at the clock.
  assert.ok(upMs > 200, `${upMs} ms`);
});
