import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { type WatchdogOptions, watchdog } from 'posix-daemon';

const BAD: [options: object | null | number, code: string, names: string][] = [
  [null, 'ERR_INVALID_ARG_TYPE', 'options'],
  [3, 'ERR_INVALID_ARG_TYPE', 'options'],
  [{ worker: 2 }, 'ERR_INVALID_ARG_VALUE', 'worker'],
  [{ workers: 0 }, 'ERR_OUT_OF_RANGE', 'options.workers'],
  [{ workers: 1.5 }, 'ERR_OUT_OF_RANGE', 'options.workers'],
  [{ workers: '2' }, 'ERR_INVALID_ARG_TYPE', 'options.workers'],
  [{ stopSignal: 'SIGNONE' }, 'ERR_UNKNOWN_SIGNAL', 'SIGNONE'],
  [{ stopTimeoutMs: -1 }, 'ERR_OUT_OF_RANGE', 'options.stopTimeoutMs'],
  [{ readiness: 'later' }, 'ERR_INVALID_ARG_VALUE', 'options.readiness'],
  [{ readiness: 5 }, 'ERR_INVALID_ARG_VALUE', 'options.readiness'],
  [{ readiness: null }, 'ERR_INVALID_ARG_VALUE', 'options.readiness'],
  [{ readiness: {} }, 'ERR_INVALID_ARG_TYPE', 'options.readiness.port'],
  [{ readiness: { port: 0 } }, 'ERR_OUT_OF_RANGE', 'options.readiness.port'],
  [{ readiness: { port: 80, host: '' } }, 'ERR_INVALID_ARG_VALUE', 'options.readiness.host'],
  [{ readiness: { port: 80, upMs: 5 } }, 'ERR_INVALID_ARG_VALUE', 'port'],
  [{ readiness: { upMs: -1 } }, 'ERR_OUT_OF_RANGE', 'options.readiness.upMs'],
  [{ readyTimeoutMs: 0 }, 'ERR_OUT_OF_RANGE', 'options.readyTimeoutMs'],
  [{ heartbeat: 500 }, 'ERR_INVALID_ARG_TYPE', 'options.heartbeat'],
  [{ heartbeat: { timeoutMs: 5000n } }, 'ERR_INVALID_ARG_TYPE', 'options.heartbeat.timeoutMs'],
  [{ heartbeat: { timeoutMs: Symbol('often') } }, 'ERR_INVALID_ARG_TYPE', 'options.heartbeat.timeoutMs'],
  [{ heartbeat: {} }, 'ERR_INVALID_ARG_TYPE', 'options.heartbeat.timeoutMs'],
  [{ heartbeat: { timeoutMs: 100, intervalMs: 100 } }, 'ERR_OUT_OF_RANGE', 'options.heartbeat.intervalMs'],
  [{ killTree: 'no' }, 'ERR_INVALID_ARG_TYPE', 'options.killTree'],
  [{ onParentDeath: 'live' }, 'ERR_INVALID_ARG_VALUE', 'options.onParentDeath'],
  [{ standby: 1 }, 'ERR_INVALID_ARG_TYPE', 'options.standby'],
  [{ maxRssBytes: 0 }, 'ERR_OUT_OF_RANGE', 'options.maxRssBytes'],
  [{ title: 'a\0b' }, 'ERR_INVALID_ARG_VALUE', 'options.title'],
  [{ onExit: 'exit' }, 'ERR_INVALID_ARG_TYPE', 'options.onExit'],
  [{ restart: 'sometimes' }, 'ERR_INVALID_ARG_VALUE', 'options.restart'],
];

for (const [options, code, name] of BAD) {
  test(`watchdog(${inspect(options)}) is refused with ${code}`, async () => {
    const refused = await watchdog(options as WatchdogOptions).then(
      () => undefined,
      (error) => error,
    );
    assert.equal(refused?.code, code, refused);
    assert.ok(refused.message.includes(name), refused.message);
  });
}

test('watchdog() is refused in a worker thread', async () => {
  const script = `
    import('posix-daemon').then(({ watchdog }) => watchdog()).catch((error) => {
      require('node:worker_threads').parentPort.postMessage(error.code);
    });`;
  const worker = new Worker(script, { eval: true });
  const code = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  assert.equal(code, 'ERR_WORKER_UNSUPPORTED_OPERATION');
  await worker.terminate();
});
