// What a worker sends its own process group: nobody else gets it. In a pid namespace, in case that isn't so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COMMAND } from '../helpers/command.js';
import { shell, startCommand } from '../helpers/command-watchdog.js';
import { stat, temporaryDirectory } from '../helpers/exec.js';
import { inPidNamespace, namespaceCommand, namespaceRefused } from '../helpers/namespace.js';
import { supervise } from '../helpers/supervised.js';
import { startWatchdog } from '../helpers/watchdog.js';

const inNamespace = { skip: namespaceRefused() ?? false };
const GROUP = 5;
const SESSION = 6;
const TERMINAL = 7;

/** The settings of a fixture that runs in a pid namespace, in which it isn't the first process. */
function namespaced() {
  const [execPath, execArgv] = namespaceCommand(['sh', '-c', '"$@"; exit $?', 'sh', process.execPath]);
  return { execPath, execArgv };
}

test('a program has a process group of its own, in a session without a terminal that its guard leads', async (t) => {
  const supervised = supervise(t, 'exec sleep 1000', '--workers', '2');
  for (const { pid, guard } of [await supervised.program(), await supervised.program()]) {
    const place = [GROUP, SESSION, TERMINAL].map((field) => Number(stat(pid, field)));
    assert.deepEqual(place, [pid, guard, 0]);
  }
});

test('a live-forked worker has a process group of its own, in a session without a terminal that its keeper leads', async (t) => {
  const watched = startWatchdog(t, { workers: 2 });
  const workers = await watched.workers(2);
  workers[0]?.handle.signal('SIGKILL');
  // It was forked in advance.
  for (const { pid, keeper } of [await watched.worker(), workers[1] as (typeof workers)[0]]) {
    const place = [GROUP, SESSION, TERMINAL].map((field) => Number(stat(pid, field)));
    assert.deepEqual(place, [pid, keeper, 0]);
  }
});

test('a program that has gone to another process group still gets what is meant for its whole group', async (t) => {
  const script = `exec python3 -Sc '
import os, signal
signal.signal(signal.SIGCONT, lambda *_: print("continued", flush=True))
os.setpgid(0, os.getppid())
print("moved", flush=True)
while True: signal.pause()
'`;
  const supervised = supervise(t, script);
  await supervised.program();
  assert.equal(await supervised.line(), 'moved');
  supervised.keeper.kill('SIGCONT');
  assert.equal(await supervised.line(), 'continued');
});

for (const signal of ['TERM', 'KILL', 'INT', 'USR1', 'TSTP']) {
  test(`kill -${signal} 0 in a worker of a daemon touches that one only`, inNamespace, async (t) => {
    const cwd = temporaryDirectory(t);
    const env = { PATH: process.env.PATH, HOME: cwd, POSIX_DAEMON_HOME: `${cwd}/home` };
    const command = `${process.execPath} ${COMMAND}`;
    const worker = `echo $WORKER_INDEX >>log; while :; do rmdir now-$WORKER_INDEX && kill -${signal} 0; sleep 0.02; done 2>/dev/null`;
    const isStopped = 'cat /proc/[0-9]*/stat | grep -q " (sh) T"';
    const script = `
      started() { [ $(wc -l <log) = $1 ]; }
      until_so() { for n in $(seq 500); do eval "$1" && return; sleep 0.02; done; exit 9; }
      ${command} start --name d --workers 4 --restart always --backoff 1 -- sh -c "$WORKER"
      until_so 'started 4'
      mkdir now-2
      until_so '${signal === 'TSTP' ? isStopped : 'started 5'}'
      ${command} status --json d
      ${command} stop d --json >stopped || exit 7`;
    const { code, stdout, stderr } = await inPidNamespace(t, ['sh', '-c', script], {
      cwd,
      env: { ...env, WORKER: worker },
    });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    const [{ state, workers }] = JSON.parse(stdout.slice(stdout.indexOf('{'))).daemons;
    const restarts = workers.map((one: { restarts: number }) => one.restarts);
    assert.deepEqual([state, restarts], ['running', [0, signal === 'TSTP' ? 0 : 1, 0, 0]]);
  });
}

test('kill 0 in a worker of a Watchdog touches neither the process nor the other workers', inNamespace, async (t) => {
  const script = '[ $WORKER_INDEX = 2 ] && mkdir once && kill 0; exec sleep 1000';
  const options = { ...shell(script), cwd: temporaryDirectory(t), workers: 3, stderr: 'null' };
  const watched = startCommand(t, options, namespaced());
  const { worker, signal } = await watched.exit();
  assert.deepEqual([worker, signal], [2, 'SIGTERM']);
  for (let n = 0; n < 4; n++) await watched.next('spawn');
  const { workers } = await watched.status();
  assert.deepEqual(
    workers.map(({ state, restarts }) => [state, restarts]),
    [
      ['running', 0],
      ['running', 1],
      ['running', 0],
    ],
  );
});

test('kill 0 in a live-forked worker touches neither the watchdog nor the other workers', inNamespace, async (t) => {
  const watched = startWatchdog(
    t,
    {
      workers: 3,
      inWorker: ({ say }, worker) => {
        const { restarts } = worker.status().workers[1] as { restarts: number };
        say({ up: worker.index });
        setInterval(() => {}, 1e6);
        if (worker.index === 2 && restarts === 0) process.kill(0, 'SIGTERM');
      },
    },
    namespaced(),
  );
  const { worker, signal } = await watched.exit();
  assert.deepEqual([worker, signal], [2, 'SIGTERM']);
  const ups = [];
  for (let n = 0; n < 4; n++) ups.push(await watched.said<number>('up'));
  assert.deepEqual(ups.sort(), [1, 2, 2, 3]);
});
