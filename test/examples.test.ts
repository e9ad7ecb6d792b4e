import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findDaemon, openProcess } from 'posix-daemon';
import { temporaryDirectory } from './helpers/exec.js';
import { procStatus, startProgram, until } from './helpers/fixture.js';
import { killHeld } from './helpers/processes.js';

const example = exampleOf('classic-daemon');

function exampleOf(name: string): string {
  return fileURLToPath(new URL(`../examples/${name}.js`, import.meta.url));
}

test('the classic daemon serves HTTP from a session without a terminal after its starter has ended', async (t) => {
  const starter = spawnSync(process.execPath, [example], { encoding: 'utf8' });
  assert.deepEqual([starter.status, starter.signal, starter.stderr], [0, null, '']);
  const pid = Number(await (await fetch(starter.stdout.trim())).text());
  const daemon = openProcess(pid);
  t.after(() => {
    killHeld(daemon);
    daemon.close();
  });
  assert.notEqual(pid, starter.pid);
  assert.notEqual(Number(procStatus(pid, 'PPid')), starter.pid);
  assert.equal(procStatus(pid, 'Umask'), '0000');
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
  for (const fd of [0, 1, 2]) assert.equal(readlinkSync(`/proc/${pid}/fd/${fd}`), '/dev/null');
  daemon.signal('SIGTERM');
  await daemon.wait();
});

for (const name of ['http-daemon', 'ready-daemon']) {
  test(`${name} serves HTTP under the address in its log, once`, async (t) => {
    const folder = temporaryDirectory(t);
    const start = () => spawnSync(process.execPath, [exampleOf(name), folder], { encoding: 'utf8' });
    const { status, stderr } = start();
    const daemon = findDaemon(`${folder}/${name}.pid`);
    assert.ok(daemon, stderr);
    t.after(() => daemon.stop({ signal: 'SIGKILL' }));
    assert.deepEqual([status, stderr], [0, '']);
    const log = `${folder}/${name}.log`;
    const address = await until('it has told its address', () => {
      return existsSync(log) && /http:\/\/\S+/.exec(readFileSync(log, 'utf8'))?.[0];
    });
    assert.deepEqual(await (await fetch(address)).json(), { pid: daemon.pid });
    const second = start();
    assert.equal(second.status, 1);
    assert.match(second.stderr, /already running: pid \d+/);
    assert.deepEqual((await daemon.stop()).signal, 'SIGTERM');
  });
}

test('prefork-http serves one port by several workers, one of which can be killed', async (t) => {
  const watchdog = startProgram(t, process.execPath, [exampleOf('prefork-http'), '2']);
  const address = await watchdog.line();
  const pidOf = async () => Number(/^worker \d has pid (\d+)$/.exec(await watchdog.line())?.[1]);
  const pids = [await pidOf(), await pidOf()] as [number, number];
  using worker = openProcess(pids[0]);
  worker.signal('SIGKILL');
  const workers = [await pidOf(), pids[1]];
  const answer = (await (await fetch(address)).json()) as { pid: number };
  assert.ok(workers.includes(answer.pid), `${answer.pid} is one of ${workers}`);
});

test('ready-daemon says on the terminal that its port is taken, and exits with 1', async (t) => {
  const folder = temporaryDirectory(t);
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { status, stderr } = spawnSync(process.execPath, [exampleOf('ready-daemon'), folder, `${port}`], {
    encoding: 'utf8',
  });
  assert.equal(status, 1);
  assert.match(stderr, /EADDRINUSE/);
  assert.equal(findDaemon(`${folder}/ready-daemon.pid`), null);
});
