// Where a watchdog can find itself: under another one, as the first process of a container, on a terminal, as a daemon.
import assert from 'node:assert/strict';
import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findDaemon } from 'posix-daemon';
import { childrenOf, temporaryDirectory } from '../helpers/exec.js';
import { fixturePath, procStatus, startProgram, until } from '../helpers/fixture.js';
import { namespaceCommand, namespaceRefused } from '../helpers/namespace.js';
import { onTerminal } from '../helpers/pty.js';
import { stageOf, startWatchdog, untilGone } from '../helpers/watchdog.js';

test('a worker that calls watchdog() itself is a watchdog like any other, and dies with the first', async (t) => {
  const watched = startWatchdog(t, {
    inWorker: async ({ posix, say }) => {
      await posix.watchdog();
      say({ inner: process.pid });
      setInterval(() => {}, 1e6);
    },
  });
  const outer = await watched.worker();
  const first = watched.hold(await watched.said('inner'));
  assert.equal(Number(procStatus(Number(procStatus(first.pid, 'PPid')), 'PPid')), outer.pid);
  first.signal('SIGKILL');
  const second = watched.hold(await watched.said('inner'));
  assert.ok(outer.handle.alive);
  watched.signal('SIGKILL');
  await untilGone('all', outer.handle, second);
});

test('a worker that has become a watchdog goes on giving its heartbeat, and is ready when its own workers are', async (t) => {
  const watched = startWatchdog(t, {
    heartbeat: { timeoutMs: 300 },
    readiness: 'manual',
    readyTimeoutMs: 500,
    inWorker: async ({ posix, say }) => {
      await posix.watchdog();
      setInterval(() => say({ tick: process.pid }), 100);
    },
  });
  const { pid, handle } = await watched.worker();
  for (let n = 0; n < 12; n++) await watched.said('tick');
  assert.ok(handle.alive);
  handle.signal('SIGSTOP');
  const exit = await watched.exit();
  assert.deepEqual([exit.pid, exit.reason], [pid, 'heartbeat']);
});

test('a watchdog whose worker is a watchdog is stopped through both', async (t) => {
  const watched = startWatchdog(t, {
    inWorker: async ({ posix, say }) => {
      await posix.watchdog();
      process.on('SIGTERM', () => process.exit(8));
      say({ inner: process.pid });
      setInterval(() => {}, 1e6);
    },
  });
  await watched.said('inner');
  watched.signal('SIGTERM');
  assert.equal((await watched.outcome).code, 8);
});

test('as the first process of a container it reaps what it adopts, ends none of it, and passes the exit code on', async (t) => {
  const refused = namespaceRefused();
  if (refused) return t.skip(refused);
  const stage = stageOf({
    standby: false,
    before: ({ child_process, state }) => {
      // Its orphan comes to the watchdog, and so does the next one's.
      state.helper = child_process.spawn('sh', ['-c', 'sleep 0.3 & sleep 1000 & sleep 0.1'], { stdio: 'ignore' });
    },
    inWorker: ({ fs, say }) => {
      const listed = () => fs.readFileSync('/proc/1/task/1/children', 'utf8').trim().split(' ');
      const states = () =>
        listed().map((pid) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^(\d+) \((.*)\) (.) .*/s, '$2 $3'));
      process.on('SIGTERM', () => process.exit(6));
      setTimeout(() => {
        say({ states: states(), pid: process.ppid });
        process.kill(1, 'SIGTERM');
      }, 800);
      setInterval(() => {}, 1e6);
    },
  });
  const [file, args] = namespaceCommand([process.execPath, fixturePath('watchdog'), stage]);
  const { code, stdout, stderr } = await startProgram(t, file, args).outcome;
  assert.deepEqual({ code, stderr }, { code: 6, stderr: '' });
  const { states } = JSON.parse(stdout.split('\n').find((line) => line.startsWith('{"states"')) as string);
  assert.deepEqual(states.sort(), ['posix-daemon-ke S', 'sleep S']);
});

test('on a terminal, Ctrl-Z stops watchdog and worker, fg continues both, and Ctrl-C ends them', async (t) => {
  const stage = stageOf({
    heartbeat: { timeoutMs: 2000 },
    inWorker: ({ say }) => {
      let ticks = 0;
      setInterval(() => say({ tick: ++ticks }), 50);
      process.on('SIGINT', () => process.exit(3));
      process.on('SIGTERM', () => process.exit(3));
      process.on('SIGCONT', () => say({ continued: true }));
    },
  });
  const [python, ...args] = [
    ...onTerminal([
      ['', '"$NODE" "$FIXTURE" "$STAGE"\r'],
      ['"tick":3', '\x1a'],
      ['Stopped', 'fg\r'],
      ['"continued":true', ''],
      ['"tick"', '\x03'],
      ['"exit"', 'echo ended with $?.\r'],
      ['ended with 3.', 'exit\r'],
    ]),
    ...['bash', '--norc', '-i'],
  ] as [string, ...string[]];
  const env = { ...process.env, NODE: process.execPath, FIXTURE: fixturePath('watchdog'), STAGE: stage, TERM: 'dumb' };
  const { code, stdout, stderr } = await startProgram(t, python, args, { env }).outcome;
  assert.equal(code, 0, stderr);
  assert.match(JSON.parse(stdout).screen, /ended with 3\./);
});

test('a daemon that becomes a watchdog: ready when its workers are, one pid file, logs reopened by all, released at the end', async (t) => {
  const folder = temporaryDirectory(t);
  const pidFile = join(folder, 'pid');
  const log = join(folder, 'log');
  const ready = join(folder, 'ready');
  const stage = stageOf({
    workers: 2,
    standby: false,
    readiness: 'manual',
    before: `({ posix }) => posix.daemonize({
      pidFile: ${JSON.stringify(pidFile)}, stdout: ${JSON.stringify(log)}, ready: 'manual',
    })` as never,
    inWorker: `({ fs, say }, worker) => {
      setTimeout(() => {
        fs.writeFileSync(${JSON.stringify(ready)} + worker.index, '');
        worker.ready();
      }, 200);
      process.on('SIGUSR2', () => say({ here: process.pid }));
      process.on('SIGTERM', () => process.exit(0));
      setInterval(() => {}, 1e6);
    }` as never,
  });
  const { code, stderr } = await startProgram(t, process.execPath, [fixturePath('watchdog'), stage]).outcome;
  const daemon = findDaemon(pidFile);
  t.after(() => daemon?.signal('SIGKILL'));
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  assert.ok(daemon);
  assert.ok(existsSync(`${ready}1`) && existsSync(`${ready}2`), 'the starter has waited for both');
  const workers = childrenOf(daemon.pid).flatMap(childrenOf);
  assert.equal(workers.length, 2);

  renameSync(log, `${log}.1`);
  daemon.signal('SIGHUP');
  const open = () => [daemon.pid, ...workers].filter((pid) => isOpen(pid, log));
  await until('all write to the new log', () => existsSync(log) && open().length === 3);
  assert.equal(findDaemon(pidFile)?.pid, daemon.pid);

  daemon.signal('SIGTERM');
  await daemon.wait();
  assert.equal(existsSync(pidFile), false);
});

function isOpen(pid: number, path: string): boolean {
  return statSync(`/proc/${pid}/fd/1`).ino === statSync(path).ino;
}
