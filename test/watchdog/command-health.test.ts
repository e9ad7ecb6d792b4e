import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { CommandOptions } from 'posix-daemon';
import { shell, startCommand } from '../helpers/command-watchdog.js';
import { until } from '../helpers/fixture.js';

/** Says this to whoever watches it, as a service does to systemd; then goes on with the script. */
function notifier(first: string, rest: string): Pick<CommandOptions, 'command'> {
  const script = `
import os, socket, time
address = os.environ['NOTIFY_SOCKET']
target = '\\0' + address[1:] if address[0] == '@' else address
def say(text):
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text.encode(), target)
${first}
${rest}`;
  return { command: ['python3', '-c', script] };
}

const STAY = 'time.sleep(1000)';

test('readiness: manual is READY=1 in the socket that NOTIFY_SOCKET names', async (t) => {
  const watched = startCommand(t, {
    ...notifier("say('STATUS=x'); say('READY=1')", STAY),
    readiness: 'manual',
  });
  const { worker, pid } = await watched.spawned();
  assert.deepEqual(await watched.next('ready'), { worker, pid });
});

test('a worker that isn’t ready in time is killed, and counts as failed', async (t) => {
  const watched = startCommand(t, {
    ...shell('exec sleep 1000'),
    readiness: 'manual',
    readyTimeoutMs: 50,
    maxRestarts: { count: 0 },
  });
  const { reason, signal, restartsInMs } = await watched.exit();
  assert.deepEqual({ reason, signal, restartsInMs }, { reason: 'ready', signal: 'SIGKILL', restartsInMs: null });
});

test('readiness: { upMs } is having stayed up', async (t) => {
  const begun = performance.now();
  const watched = startCommand(t, { ...shell('exec sleep 1000'), readiness: { upMs: 1000 } });
  await watched.spawned();
  assert.equal((await watched.status()).workers[0]?.state, 'starting');
  await watched.next('ready');
  assert.ok(performance.now() - begun >= 1000);
});

function listening(t: TestContext, host: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  t.after(() => server.close());
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen({ port: 0, host }, () => resolve(server));
  });
}

for (const host of [undefined, 'localhost', '::1']) {
  test(`readiness: { port, host: ${host} } is that a connection can be made`, async (t) => {
    let server: Server;
    try {
      server = await listening(t, host === '::1' ? host : '127.0.0.1');
    } catch {
      return t.skip('no IPv6 here');
    }
    const { port } = server.address() as { port: number };
    const readiness = { port, ...(host ? { host } : {}) };
    const watched = startCommand(t, { ...shell('exec sleep 1000'), readiness });
    const { worker, pid } = await watched.spawned();
    assert.deepEqual(await watched.next('ready'), { worker, pid });
  });
}

test('a port that nobody listens at is not ready', async (t) => {
  const server = await listening(t, '127.0.0.1');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  const options = { readiness: { port }, readyTimeoutMs: 100, restart: 'never' } as const;
  const watched = startCommand(t, { ...shell('exec sleep 1000'), ...options });
  assert.equal((await watched.exit()).reason, 'ready');
});

test('a worker whose heartbeat stays away is killed and replaced', async (t) => {
  const watched = startCommand(t, {
    ...notifier("say('READY=1'); say('WATCHDOG=1'); os.write(1, os.environ['WATCHDOG_USEC'].encode() + b'\\n')", STAY),
    readiness: 'manual',
    heartbeat: { timeoutMs: 300 },
  });
  assert.equal(await watched.next('line'), '300000');
  const { reason, restartsInMs } = await watched.exit();
  assert.deepEqual({ reason, restartsInMs }, { reason: 'heartbeat', restartsInMs: 0 });
  await watched.next('restart');
});

test('a worker that gives its heartbeat stays', async (t) => {
  const watched = startCommand(t, {
    ...notifier("say('READY=1')", "for i in range(30):\n    say('WATCHDOG=1'); time.sleep(0.03)\nraise SystemExit(9)"),
    readiness: 'manual',
    heartbeat: { timeoutMs: 600 },
    restart: 'never',
  });
  const { reason, exitCode } = await watched.exit();
  assert.deepEqual({ reason, exitCode }, { reason: undefined, exitCode: 9 });
});

test('a worker that is larger than maxRssBytes is asked to end, and replaced', async (t) => {
  const script = 'import time\nx = bytearray(64 << 20)\nx[::4096] = b"x" * len(x[::4096])\ntime.sleep(1000)';
  const watched = startCommand(t, { command: ['python3', '-c', script], maxRssBytes: 48 << 20 });
  const { reason, signal } = await watched.exit();
  assert.deepEqual({ reason, signal }, { reason: 'maxRss', signal: 'SIGTERM' });
  await watched.next('restart');
});

test('a new worker after one that is unready leaves no processes behind', async (t) => {
  const watched = startCommand(t, {
    ...shell('setsid sleep 1000 & echo $!; exec sleep 1000'),
    readiness: 'manual',
    readyTimeoutMs: 100,
    restart: 'never',
    signals: false,
  });
  const member = watched.hold(Number(await watched.next('line')));
  assert.equal((await watched.exit()).leftProcesses, 1);
  await until('it is gone', () => !member.alive);
});
