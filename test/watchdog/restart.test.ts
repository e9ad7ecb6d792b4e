import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { startWatchdog } from '../helpers/watchdog.js';

/** Ends a worker with each of these exit codes in turn, and the last one for ever; tells how its ends were taken. */
async function endingWith(t: TestContext, code: number, play: Parameters<typeof startWatchdog>[1]) {
  const watched = startWatchdog(t, {
    ...play,
    before: `({ state }) => { state.code = ${code}; }` as never,
    inWorker: ({ state }) => process.exit(state.code as number),
  });
  const { code: exitCode, signal, stdout, stderr } = await watched.outcome;
  const exits = stdout
    .split('\n')
    .filter((line) => line.startsWith('{"exit"'))
    .map((line) => JSON.parse(line).exit);
  return { exitCode, signal, exits, stderr };
}

test('a killed worker is back as the process was at the call', async (t) => {
  const watched = startWatchdog(t, {
    before: ({ state }) => {
      state.count = 0;
    },
    inWorker: ({ state, say }) => {
      (state.count as number)++;
      say({ count: state.count });
      setInterval(() => {}, 1e6);
    },
  });
  const first = await watched.worker();
  assert.equal(await watched.said('count'), 1);
  first.handle.signal('SIGKILL');
  const second = await watched.worker();
  assert.equal(await watched.said('count'), 1);
  assert.notEqual(second.pid, first.pid);
  assert.equal(second.index, 1);
  assert.deepEqual(await watched.exit(), {
    worker: 1,
    pid: first.pid,
    exitCode: null,
    signal: 'SIGKILL',
    restartsInMs: 0,
  });
});

test('the exit of a worker is told with its code, and with the pause before the next one', async (t) => {
  const watched = startWatchdog(t, {
    backoff: { initialMs: 20, jitter: 0, factor: 3 },
    maxRestarts: { count: 3 },
    inWorker: () => process.exit(7),
  });
  const pauses = [];
  for (let n = 0; n < 4; n++) {
    const { worker, exitCode, signal, restartsInMs } = await watched.exit();
    assert.deepEqual({ worker, exitCode, signal }, { worker: 1, exitCode: 7, signal: null });
    pauses.push(restartsInMs);
  }
  assert.deepEqual(pauses, [0, 20, 60, null]);
});

test('a watchdog that gives its worker up says so and ends with the worker’s exit code', async (t) => {
  const { exitCode, signal, stderr } = await endingWith(t, 7, { maxRestarts: { count: 1 }, title: 'app' });
  assert.deepEqual({ exitCode, signal }, { exitCode: 7, signal: null });
  assert.equal(stderr, 'app: worker 1 is given up: exit code 7, after 1 restart within 60000 ms\n');
});

test('a watchdog that gives up a worker killed by a signal ends by that signal', async (t) => {
  const watched = startWatchdog(t, {
    maxRestarts: { count: 0 },
    inWorker: () => process.kill(process.pid, 'SIGABRT'),
  });
  const { code, signal } = await watched.outcome;
  assert.deepEqual({ code, signal }, { code: null, signal: 'SIGABRT' });
});

for (const [restart, code, ends] of [
  ['never', 3, 1],
  ['on-failure', 0, 1],
  ['on-failure', 4, 2],
  ['always', 0, 2],
] as const) {
  test(`restart '${restart}': a worker that exits with ${code} ends ${ends === 1 ? 'for good' : 'and is replaced'}`, async (t) => {
    const { exitCode, exits } = await endingWith(t, code, { restart, maxRestarts: { count: 1 } });
    assert.equal(exitCode, code);
    assert.equal(exits.length, ends);
    assert.equal(exits.at(-1).restartsInMs, null);
  });
}

test('exit codes that are declared a success are none that a worker is replaced for', async (t) => {
  const { exitCode, exits } = await endingWith(t, 5, { restart: 'on-failure', successExitCodes: [5] });
  assert.deepEqual({ exitCode, ends: exits.length }, { exitCode: 5, ends: 1 });
});

test('a server that listened before the call is shared by each worker in turn, on the same port', async (t) => {
  const watched = startWatchdog(t, {
    before: async ({ net, state }) => {
      const server = net.createServer((socket) => socket.end(`${process.pid}`)).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      state.port = (server.address() as { port: number }).port;
    },
    inWorker: ({ say, state }) => say({ port: state.port }),
  });
  const answer = async (port: number) => {
    let text = '';
    for await (const chunk of connect(port, '127.0.0.1').setEncoding('utf8')) text += chunk;
    return Number(text);
  };
  const first = await watched.worker();
  const port = await watched.said<number>('port');
  assert.equal(await answer(port), first.pid);
  first.handle.signal('SIGKILL');
  const second = await watched.worker();
  assert.equal(await answer(port), second.pid);
});

test('a timer and a listener set before the call go on in the worker and not in the watchdog', async (t) => {
  const watched = startWatchdog(t, {
    before: ({ say }) => {
      setInterval(() => say({ tick: process.pid }), 10);
      process.on('SIGUSR2', () => say({ heard: process.pid }));
    },
  });
  const { pid, handle } = await watched.worker();
  for (let n = 0; n < 5; n++) assert.equal(await watched.said('tick'), pid);
  handle.signal('SIGUSR2');
  assert.equal(await watched.said('heard'), pid);
  watched.signal('SIGUSR2');
  assert.equal(await watched.said('heard'), pid);
});

test('a worker that lives in a process of its own can fork, and its child is no worker', async (t) => {
  const watched = startWatchdog(t, {
    heartbeat: { timeoutMs: 500 },
    inWorker: async ({ posix, child_process, say }) => {
      const pid = posix.fork();
      if (pid === 0) return posix._exit(9);
      say({ forked: posix.waitpid(pid).exitCode });
      const child = child_process.spawn('sh', ['-c', 'exit 8']);
      child.on('exit', (code) => say({ spawned: code }));
      setInterval(() => {}, 1e6);
    },
  });
  await watched.worker();
  assert.equal(await watched.said('forked'), 9);
  assert.equal(await watched.said('spawned'), 8);
  watched.signal('SIGTERM');
  const { stdout } = await watched.outcome;
  assert.equal(stdout.match(/"exit"/g)?.length, 1, stdout);
});

test('a hook of atfork() that throws in a worker ends that worker, and makes no second watchdog', async (t) => {
  const watched = startWatchdog(t, {
    maxRestarts: { count: 1 },
    before: ({ posix }) => {
      posix.atfork({
        child: () => {
          throw new Error('not here');
        },
      });
    },
  });
  const { code, stdout, stderr } = await watched.outcome;
  assert.equal(code, 1);
  assert.equal(stdout.match(/"exit"/g)?.length, 2, stdout);
  assert.match(stderr, /Error: not here.*worker 1 is given up: exit code 1/s);
});
