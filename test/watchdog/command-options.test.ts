import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type CommandOptions, Watchdog } from 'posix-daemon';
import { childrenOf, temporaryDirectory } from '../helpers/exec.js';

const BAD: [options: unknown, code: string, names: string][] = [
  [null, 'ERR_INVALID_ARG_TYPE', 'options'],
  [{}, 'ERR_INVALID_ARG_TYPE', 'options.command'],
  [{ command: 3 }, 'ERR_INVALID_ARG_TYPE', 'options.command'],
  [{ command: '' }, 'ERR_INVALID_ARG_VALUE', 'options.command'],
  [{ command: [] }, 'ERR_INVALID_ARG_TYPE', 'options.command[0]'],
  [{ command: ['a', 3] }, 'ERR_INVALID_ARG_TYPE', 'options.command[1]'],
  [{ command: 'a\0b' }, 'ERR_INVALID_ARG_VALUE', 'options.command'],
  [{ command: 'a', arg: [] }, 'ERR_INVALID_ARG_VALUE', 'did you mean args'],
  [{ command: 'a', args: 'b' }, 'ERR_INVALID_ARG_TYPE', 'options.args'],
  [{ command: 'a', cwd: 3 }, 'ERR_INVALID_ARG_TYPE', 'options.cwd'],
  [{ command: 'a', env: { 'A=B': '1' } }, 'ERR_INVALID_ARG_VALUE', 'options.env'],
  [{ command: 'a', user: 'nonesuch-user' }, 'ERR_INVALID_ARG_VALUE', 'options.user'],
  [{ command: 'a', chroot: '/' }, 'ERR_INVALID_ARG_VALUE', 'options.command'],
  [{ command: 'a', umask: 0o1000 }, 'ERR_OUT_OF_RANGE', 'options.umask'],
  [{ command: 'a', nice: 20 }, 'ERR_OUT_OF_RANGE', 'options.nice'],
  [{ command: 'a', rlimits: { nofiles: 1 } }, 'ERR_INVALID_ARG_VALUE', 'did you mean nofile'],
  [{ command: 'a', stdin: 0 }, 'ERR_INVALID_ARG_TYPE', 'options.stdin'],
  [{ command: 'a', stdout: { path: '/x', backup: 1 } }, 'ERR_INVALID_ARG_VALUE', 'did you mean backups'],
  [
    { command: 'a', stdout: { path: '/x', maxBytes: 1 }, stderr: { path: '/y', maxBytes: 2 } },
    'ERR_INVALID_ARG_VALUE',
    'options.stderr',
  ],
  [{ command: 'a', stdout: '/nonexistent/log' }, 'ENOENT', '/nonexistent/log'],
  [{ command: 'a', workers: 0 }, 'ERR_OUT_OF_RANGE', 'options.workers'],
  [{ command: 'a', restart: 'sometimes' }, 'ERR_INVALID_ARG_VALUE', 'options.restart'],
  [{ command: 'a', maxRestarts: { count: 1e6 } }, 'ERR_OUT_OF_RANGE', 'options.maxRestarts.count'],
  [{ command: 'a', stopSignal: 'SIGNONE' }, 'ERR_UNKNOWN_SIGNAL', 'SIGNONE'],
  [{ command: 'a', stopTimeoutMs: -1 }, 'ERR_OUT_OF_RANGE', 'options.stopTimeoutMs'],
  [{ command: 'a', killTree: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.killTree'],
  [{ command: 'a', onParentDeath: 'live' }, 'ERR_INVALID_ARG_VALUE', 'options.onParentDeath'],
  [{ command: 'a', readiness: 'later' }, 'ERR_INVALID_ARG_VALUE', 'options.readiness'],
  [{ command: 'a', readiness: { port: 80, host: 'example.org' } }, 'ERR_INVALID_ARG_VALUE', 'options.readiness.host'],
  [{ command: 'a', readyTimeoutMs: 0 }, 'ERR_OUT_OF_RANGE', 'options.readyTimeoutMs'],
  [{ command: 'a', heartbeat: { intervalMs: 5 } }, 'ERR_INVALID_ARG_VALUE', 'options.heartbeat'],
  [{ command: 'a', maxRssBytes: 0 }, 'ERR_OUT_OF_RANGE', 'options.maxRssBytes'],
  [{ command: 'a', title: 'a\0b' }, 'ERR_INVALID_ARG_VALUE', 'options.title'],
  [{ command: 'a', signals: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.signals'],
  [{ command: 'a', onExit: 'exit' }, 'ERR_INVALID_ARG_TYPE', 'options.onExit'],
];

for (const [options, code, name] of BAD) {
  test(`new Watchdog(${JSON.stringify(options)}) is refused with ${code}, and starts nothing`, () => {
    const children = childrenOf(process.pid).length;
    assert.throws(
      () => new Watchdog(options as CommandOptions),
      (error: NodeJS.ErrnoException) => {
        assert.equal(error.code, code, error.message);
        assert.ok(error.message.includes(name), error.message);
        return true;
      },
    );
    assert.equal(childrenOf(process.pid).length, children);
  });
}

test('a log is not made for a call that is refused', (t) => {
  const folder = temporaryDirectory(t);
  const bad = { command: 'a', stdout: join(folder, 'log'), nice: 99 };
  assert.throws(() => new Watchdog(bad), { code: 'ERR_OUT_OF_RANGE' });
  assert.deepEqual(readdirSync(folder), []);
});

test('a program that is found in a relative directory of PATH is refused', () => {
  const options = { command: 'sh', env: { PATH: '../../../../../../../../bin' } };
  assert.throws(() => new Watchdog(options), { code: 'ERR_RELATIVE_PATH' });
});

test('new Watchdog() is refused in a worker thread', async () => {
  const script = `
    import('posix-daemon').then(({ Watchdog }) => new Watchdog({ command: 'sleep' })).catch((error) => {
      require('node:worker_threads').parentPort.postMessage(error.code);
    });`;
  const worker = new Worker(script, { eval: true });
  const code = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  assert.equal(code, 'ERR_WORKER_UNSUPPORTED_OPERATION');
  await worker.terminate();
});
