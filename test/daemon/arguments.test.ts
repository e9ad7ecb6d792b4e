// What daemonize() refuses in its caller, before anything has happened.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type DaemonizeOptions, daemonize } from 'posix-daemon';
import { startDaemon } from '../helpers/daemon.js';
import { descriptorsOf, hasEnded } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { type Failure, failureOf } from '../helpers/scenario.js';

const refused = (options: unknown) => failureOf(() => daemonize(options as DaemonizeOptions));

// Would any of these not be refused, the runner would become a daemon: the last check fails in that case too.
const IMPOSSIBLE = { stdin: 999_999 };

for (const [options, code, text] of [
  ['x', 'ERR_INVALID_ARG_TYPE', 'options'],
  [null, 'ERR_INVALID_ARG_TYPE', 'options'],
  [{ pidfile: '/run/x' }, 'ERR_INVALID_ARG_VALUE', 'did you mean pidFile?'],
  [{ usr: 'x' }, 'ERR_INVALID_ARG_VALUE', 'did you mean user?'],
  [{ workingDirectory: '/' }, 'ERR_INVALID_ARG_VALUE', "'workingDirectory'"],
  [{ name: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.name'],
  [{ cwd: 7 }, 'ERR_INVALID_ARG_TYPE', 'options.cwd'],
  [{ cwd: 'a\0b' }, 'ERR_INVALID_ARG_VALUE', 'options.cwd'],
  [{ umask: '022' }, 'ERR_INVALID_ARG_TYPE', 'options.umask'],
  [{ umask: 0o1000 }, 'ERR_OUT_OF_RANGE', 'options.umask'],
  [{ chroot: {} }, 'ERR_INVALID_ARG_TYPE', 'options.chroot'],
  [{ user: 'nobody-of-that-name' }, 'ERR_INVALID_ARG_VALUE', "'nobody-of-that-name'"],
  [{ user: -1 }, 'ERR_OUT_OF_RANGE', 'options.user'],
  [{ user: true }, 'ERR_INVALID_ARG_TYPE', 'options.user'],
  [{ group: 'no-such-group' }, 'ERR_INVALID_ARG_VALUE', '"options.group"'],
  [{ groups: 'mail' }, 'ERR_INVALID_ARG_TYPE', 'options.groups'],
  [{ groups: ['no-such-group'] }, 'ERR_INVALID_ARG_VALUE', "'no-such-group'"],
  [{ title: 'a\0b' }, 'ERR_INVALID_ARG_VALUE', 'options.title'],
  [{ pidFile: true }, 'ERR_INVALID_ARG_TYPE', 'options.pidFile'],
  [{ pidFileMode: 0o7777 }, 'ERR_OUT_OF_RANGE', 'options.pidFileMode'],
  [{ logFileMode: -1 }, 'ERR_OUT_OF_RANGE', 'options.logFileMode'],
  [{ stdin: null }, 'ERR_INVALID_ARG_TYPE', 'options.stdin'],
  [{ stdin: -1 }, 'ERR_OUT_OF_RANGE', 'options.stdin'],
  [{ stdout: true }, 'ERR_INVALID_ARG_TYPE', 'options.stdout'],
  [{ stdout: {} }, 'ERR_INVALID_ARG_TYPE', 'options.stdout.path'],
  [{ stderr: { path: '/x', maxbytes: 1 } }, 'ERR_INVALID_ARG_VALUE', 'did you mean maxBytes?'],
  [{ stderr: { path: '/x', backups: -1 } }, 'ERR_OUT_OF_RANGE', 'options.stderr.backups'],
  [{ stderr: { path: '/x', timestamps: 'yes' } }, 'ERR_INVALID_ARG_TYPE', 'options.stderr.timestamps'],
  [{ env: [1] }, 'ERR_INVALID_ARG_TYPE', 'options.env'],
  [{ env: { A: 1 } }, 'ERR_INVALID_ARG_TYPE', 'options.env.A'],
  [{ env: { 'A=B': '1' } }, 'ERR_INVALID_ARG_VALUE', "'A=B'"],
  [{ keepFds: 3 }, 'ERR_INVALID_ARG_TYPE', 'options.keepFds'],
  [{ keepFds: [-3] }, 'ERR_OUT_OF_RANGE', 'options.keepFds[0]'],
  [{ rlimits: { nofiles: 1 } }, 'ERR_INVALID_ARG_VALUE', 'did you mean nofile?'],
  [{ rlimits: { nofile: 'x' } }, 'ERR_INVALID_ARG_TYPE', 'options.rlimits.nofile'],
  [{ nice: 20 }, 'ERR_OUT_OF_RANGE', 'options.nice'],
  [{ oomScoreAdj: 1001 }, 'ERR_OUT_OF_RANGE', 'options.oomScoreAdj'],
  [{ ready: 'later' }, 'ERR_INVALID_ARG_VALUE', 'immediate, manual'],
  [{ ready: true }, 'ERR_INVALID_ARG_TYPE', 'options.ready'],
  [{ readyTimeoutMs: 0 }, 'ERR_OUT_OF_RANGE', 'options.readyTimeoutMs'],
  [{ mode: 'spawn' }, 'ERR_INVALID_ARG_VALUE', 'auto, fork, exec'],
] as const) {
  test(`daemonize(${JSON.stringify(options)}) is refused with ${code}`, () => {
    const given = typeof options === 'object' && options !== null ? { ...IMPOSSIBLE, ...options } : options;
    const failure = refused(given);
    assert.equal(failure.code, code);
    assert.ok(failure.message.includes(text), failure.message);
  });
}

for (const options of [{ stdin: 999_999 }, { stdout: 999_999 }, { keepFds: [999_999] }]) {
  test(`daemonize(${JSON.stringify(options)}) is refused with EBADF: that descriptor is not open`, () => {
    const before = descriptorsOf(process.pid);
    const { code, syscall } = refused(options);
    assert.deepEqual([code, syscall], ['EBADF', 'fstat']);
    assert.deepEqual(Object.keys(descriptorsOf(process.pid)), Object.keys(before));
  });
}

test('daemonize() in a Worker is refused', async () => {
  const code = `import(${JSON.stringify(import.meta.resolve('posix-daemon'))}).then(({ daemonize }) => {
    try { daemonize(); } catch (error) { require('node:worker_threads').parentPort.postMessage(error.code); }
  });`;
  const worker = new Worker(code, { eval: true });
  assert.equal(await new Promise((resolve) => worker.once('message', resolve)), 'ERR_WORKER_UNSUPPORTED_OPERATION');
});

for (const mode of ['fork', 'exec'] as const) {
  test(`a daemon made by ${mode} can't be made one again`, async (t) => {
    const { ask } = await startDaemon(t, { mode });
    assert.equal((await ask<Failure>('failure')).code, 'ERR_ALREADY_DAEMONIZED');
  });
}

test("a worker that the daemon forks doesn't keep the pid file's lock", async (t: TestContext) => {
  const { ask, pid, folder } = await startDaemon(t, (own) => ({ mode: 'fork', pidFile: `${own}/pid` }));
  const worker = await ask<number>('fork');
  process.kill(pid, 'SIGKILL');
  await until('the daemon has ended', () => hasEnded(pid));
  const second = await startDaemon(t, { mode: 'fork', pidFile: `${folder}/pid` });
  assert.equal(hasEnded(worker), false);
  assert.equal(readFileSync(`${folder}/pid`, 'utf8'), `${second.pid}\n`);
});
