// Daemons that are watched: started again by their keeper, without a Node process that stays.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { keeperCgroup, usableCgroup } from '#dist/watchdog/cgroup.js';
import { type Sandbox, sandbox } from '../helpers/command.js';
import { childrenOf, hasEnded, nullSeparated } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';

interface Worker {
  worker: number;
  state: string;
  pid?: number;
  restarts: number;
  uptimeMs?: number;
  rss?: number;
  lastExit?: { exitCode?: number; signal?: string; endedAt: string };
}

interface State {
  state: string;
  pid?: number;
  keeperPid: number;
  restarts?: number;
  rss?: number;
  uptimeMs?: number;
  workers: Worker[];
  end?: { exitCode?: number; signal?: string; asked: boolean };
}

const SLEEP = ['--', 'sleep', '1000'];

async function stateOf({ json }: Sandbox, name: string): Promise<State> {
  const { daemons } = await json<{ daemons: [State] }>(['status', name]);
  return daemons[0];
}

/** What a daemon logs, once it is so. */
function logged({ home }: Sandbox, name: string, pattern: RegExp): Promise<RegExpExecArray> {
  const log = join(home, `${name}.log`);
  return until(
    `${name}.log has ${pattern}`,
    () => (existsSync(log) && pattern.exec(readFileSync(log, 'utf8'))) || false,
  );
}

/** Waits for a program in another one's place. */
async function successor(keeper: number, not: number): Promise<number> {
  const running = () => childrenOf(keeper).flatMap(childrenOf);
  const pid = await until('another program', () => running().find((one) => one !== not));
  await until('it is loaded', () => hasEnded(pid) || nullSeparated(`/proc/${pid}/cmdline`)[0] === 'sleep');
  return pid;
}

test('--restart always: a program that is killed is back, and no Node process is there', async (t) => {
  const box = sandbox(t);
  const pid = await box.start(['--restart', 'always', ...SLEEP]);
  const { keeperPid } = await stateOf(box, 'sleep');
  assert.equal(procStatus(keeperPid, 'Name'), 'posix-daemon');
  process.kill(pid, 'SIGKILL');
  const next = await successor(keeperPid, pid);
  const { state, restarts, workers, ...rest } = await stateOf(box, 'sleep');
  assert.deepEqual({ state, restarts, pid: rest.pid }, { state: 'running', restarts: 1, pid: next });
  assert.equal(workers[0]?.lastExit?.signal, 'SIGKILL');
});

test('what a program has started ends with it', async (t) => {
  const box = sandbox(t);
  const pid = await box.start(['--restart', 'always', '--', 'sh', '-c', 'setsid sleep 1000 & echo $!; wait']);
  const member = Number((await logged(box, 'sh', /\d+\n/))[0]);
  process.kill(pid, 'SIGKILL');
  await until('it is gone', () => hasEnded(member));
});

test('its cgroup, where it can have one, doesn’t stay', async (t) => {
  const parent = usableCgroup();
  if (parent === undefined) return t.skip('no cgroup can be made here');
  const box = sandbox(t);
  const pid = await box.start(['--restart', 'always', ...SLEEP]);
  const group = keeperCgroup(parent, Number(procStatus(pid, 'PPid')));
  assert.ok(existsSync(group));
  await box.ok(['stop', 'sleep']);
  assert.ok(!existsSync(group));
});

test('SIGKILL of the keeper takes programs and all that they have started', async (t) => {
  const box = sandbox(t);
  const args = ['--restart', 'always', '--workers', '2', '--', 'sh', '-c', 'setsid sleep 1000 & echo $!; wait'];
  await box.start(args);
  const [, ...members] = await logged(box, 'sh', /(\d+)\n(\d+)\n/);
  const { workers, keeperPid } = await stateOf(box, 'sh');
  process.kill(keeperPid, 'SIGKILL');
  const all = [...members.map(Number), ...workers.map(({ pid = 0 }) => pid)];
  assert.equal(all.length, 4);
  await until('all are gone', () => all.every(hasEnded));
  assert.equal((await box.run(['status', 'sh'])).code, 1);
});

test('status tells of each of several workers', async (t) => {
  const box = sandbox(t);
  await box.start(['--workers', '3', ...SLEEP]);
  const { workers, keeperPid, rss = 0, uptimeMs = -1 } = await stateOf(box, 'sleep');
  assert.deepEqual(
    workers.map(({ worker, state, restarts }) => ({ worker, state, restarts })),
    [1, 2, 3].map((worker) => ({ worker, state: 'running', restarts: 0 })),
  );
  for (const { pid = 0, worker } of workers) {
    assert.ok(nullSeparated(`/proc/${pid}/environ`).includes(`WORKER_INDEX=${worker}`));
  }
  assert.ok(rss > (workers[0]?.rss ?? 0) && uptimeMs >= 0);
  const { stdout, code } = await box.run(['status', 'sleep']);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^ +pid: +${keeperPid}, the keeper$`, 'm'));
  assert.match(stdout, new RegExp(`^ +worker 3: running for .*, pid ${workers[2]?.pid}, .* 0 restarts$`, 'm'));
  assert.match(await box.ok(['list']), /^sleep +running +\d+ +\d+ ms +0 +sleep 1000$/m);
});

test('without --restart a program that ends is the daemon’s end', async (t) => {
  const box = sandbox(t);
  const pid = await box.start(['--workers', '1', ...SLEEP]);
  const { keeperPid } = await stateOf(box, 'sleep');
  process.kill(pid, 'SIGTERM');
  await until('it has ended', () => hasEnded(keeperPid));
  assert.equal((await stateOf(box, 'sleep')).end?.signal, 'SIGTERM');
});

test('a daemon that ends too often is given up, is dead then, and its log says why', async (t) => {
  const box = sandbox(t);
  // It stays until its file is there.
  const args = ['--restart', 'on-failure', '--max-restarts', '2/60000', '--backoff', '1:2'];
  await box.start(['--name', 'web', ...args, '--', 'sh', '-c', 'while ! [ -e go ]; do sleep 0.01; done; exit 3']);
  const { keeperPid } = await stateOf(box, 'web');
  box.write('go', '');
  await logged(box, 'web', /worker 1 is given up: exit code 3, after 2 restarts within 60000 ms\n/);
  await until('it has ended', () => hasEnded(keeperPid));
  const { end, state } = await stateOf(box, 'web');
  assert.deepEqual([state, end?.exitCode, end?.asked], ['dead', 3, false]);
});

test('--success-exit-codes are no failure', async (t) => {
  const box = sandbox(t);
  const args = ['run', '--restart', 'on-failure', '--success-exit-codes', '3, USR1', '--', 'sh', '-c'];
  assert.equal((await box.run([...args, 'exit 3'])).code, 3);
  assert.equal((await box.run([...args, 'kill -USR1 $$'])).signal, 'SIGUSR1');
});

test('run --restart starts it again, and ends as the last one', async (t) => {
  const { run } = sandbox(t);
  const args = [
    'run',
    '--restart',
    'always',
    '--max-restarts',
    '2',
    '--backoff',
    '1',
    '--',
    'sh',
    '-c',
    'echo hi; exit 4',
  ];
  const { code, stdout, stderr } = await run(args);
  assert.deepEqual([code, stdout], [4, 'hi\nhi\nhi\n']);
  assert.match(stderr, /given up: exit code 4/);
});

test('restart keeps how a daemon is watched', async (t) => {
  const box = sandbox(t);
  await box.start(['--restart', 'always', '--workers', '2', ...SLEEP]);
  const before = await stateOf(box, 'sleep');
  await box.ok(['restart', 'sleep']);
  const { workers, keeperPid } = await stateOf(box, 'sleep');
  assert.notEqual(keeperPid, before.keeperPid);
  assert.equal(workers.length, 2);
  assert.ok(before.workers.every(({ pid = 0 }) => hasEnded(pid)));
  process.kill(workers[1]?.pid as number, 'SIGKILL');
  await until('it is restarted', () =>
    /worker 2 .*restarts 1/.test(readFileSync(join(box.home, 'sleep.status'), 'utf8')),
  );
});

test('stop ends all workers of a daemon and its keeper, and starts none again', async (t) => {
  const box = sandbox(t);
  await box.start(['--restart', 'always', '--workers', '2', ...SLEEP]);
  const { workers, keeperPid } = await stateOf(box, 'sleep');
  assert.match(await box.ok(['stop', 'sleep']), /^sleep: stopped by SIGTERM after \d+ ms\n$/);
  assert.ok([keeperPid, ...workers.map(({ pid = 0 }) => pid)].every(hasEnded));
  assert.ok(!existsSync(join(box.home, 'sleep.pid')));
});

const DEAF = 'trap "" TERM; setsid sleep 1000 & echo $!; while :; do sleep 0.01; done';

async function startDeaf(t: TestContext, args: readonly string[] = []): Promise<{ box: Sandbox; all: number[] }> {
  const box = sandbox(t);
  const pid = await box.start(['--restart', 'always', ...args, '--', 'sh', '-c', DEAF]);
  const member = Number((await logged(box, 'sh', /\d+\n/))[0]);
  return { box, all: [pid, member] };
}

for (const [what, start, stop] of [
  ['stop --timeout kills', [], ['--timeout', '50']],
  ['stop --signal KILL kills at once', [], ['--signal', 'KILL']],
  ['--stop-timeout has the keeper kill', ['--stop-timeout', '50'], []],
] as const) {
  test(`${what} a daemon that doesn’t end, with all that it has started`, async (t) => {
    const { box, all } = await startDeaf(t, start);
    const keeper = (await stateOf(box, 'sh')).keeperPid;
    await box.ok(['stop', 'sh', ...stop]);
    assert.ok([keeper, ...all].every(hasEnded));
  });
}

test('stop kills a daemon whose keeper is stopped', async (t) => {
  const { box, all } = await startDeaf(t);
  process.kill((await stateOf(box, 'sh')).keeperPid, 'SIGSTOP');
  await box.ok(['stop', 'sh', '--timeout', '50']);
  await until('all are gone', () => all.every(hasEnded));
});

test('stop --signal with a signal after which it would be started again is refused', async (t) => {
  const box = sandbox(t);
  const pid = await box.start(['--restart', 'always', ...SLEEP]);
  const { daemons } = await box.json<{ daemons: [{ error: { code: string } }] }>(['stop', 'sleep', '--signal', 'INT']);
  assert.equal(daemons[0].error.code, 'ERR_SUPERVISED');
  assert.ok(!hasEnded(pid));
});

/** Tells it to whoever it is that NOTIFY_SOCKET names. */
const NOTIFY = `
import os, signal, socket, sys
address = os.environ['NOTIFY_SOCKET']
to = '\\0' + address[1:] if address[0] == '@' else address
for text in sys.argv[1:]:
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text.encode(), to)
signal.pause()`;

test('--ready notify: start returns when the program says READY=1', async (t) => {
  const box = sandbox(t);
  await box.start(['--ready', 'notify', '--', 'python3', '-c', NOTIFY, 'READY=1']);
  const { state, workers } = await stateOf(box, 'python3');
  assert.deepEqual([state, workers[0]?.state], ['running', 'running']);
});

test('--ready-timeout: a program that isn’t ready was not started, and nothing is left', async (t) => {
  const { run, home } = sandbox(t);
  const { code, stderr } = await run(['start', '--ready', 'notify', '--ready-timeout', '50', ...SLEEP]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /the program was killed by SIGKILL before it was ready \(it may take 50 ms, see --ready-timeout\)/,
  );
  assert.deepEqual(readdirSync(home), ['sleep.log']);
});

test('--ready port: start returns when a connection can be made', async (t) => {
  const box = sandbox(t);
  const own = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  t.after(() => own.close());
  const { port } = own.address() as { port: number };
  await box.start(['--ready', `port:${port}`, ...SLEEP]);
});

test('--heartbeat: a program that stays silent is restarted', async (t) => {
  const box = sandbox(t);
  const pid = await box.start(['--heartbeat', '100', ...SLEEP]);
  await until('it has ended', () => hasEnded(pid));
  const { restarts = 0 } = await stateOf(box, 'sleep');
  assert.ok(restarts > 0);
});

test('the config file says it in its own way', async (t) => {
  const box = sandbox(t);
  const options = { restart: 'on-failure', workers: 2, successExitCodes: [0, 'SIGTERM'], maxRss: '1G' };
  box.write('posix-daemon.json', JSON.stringify({ name: 'web', command: ['sleep', '1000'], ...options }));
  await box.start([]);
  const { workers } = await stateOf(box, 'web');
  process.kill(workers[0]?.pid as number, 'SIGTERM');
  const status = () => readFileSync(join(box.home, 'web.status'), 'utf8');
  await until('it is done', () => /worker 1 state finished/.test(status()));
});

const BAD: [args: string[], says: RegExp][] = [
  [['--restart', 'sometimes'], /--restart must be one of always, on-failure, never/],
  [['--workers', '0'], /--workers must be an integer from 1/],
  [['--success-exit-codes', '256'], /--success-exit-codes must be an integer from 0 to 255/],
  [['--success-exit-codes', 'SIGNONE'], /--success-exit-codes must be a signal/],
  [['--backoff', '10:5'], /--backoff must be the first pause and the longest/],
  [['--backoff', 'x'], /--backoff must be an integer of milliseconds/],
  [['--max-restarts', '1/2/3'], /--max-restarts must be restarts and milliseconds/],
  [['--max-restarts', 'many'], /--max-restarts must be an integer/],
  [['--stop-timeout', 'x'], /--stop-timeout must be/],
  [['--ready', 'soon'], /--ready must be exec, notify, port:PORT/],
  [['--ready', 'port:0'], /--ready must be/],
  [['--ready', 'port:example.org:80'], /--ready must be/],
  [['--heartbeat', '1'], /--heartbeat must be an integer of milliseconds from 2/],
  [['--max-rss', 'x'], /--max-rss must be a size/],
];

for (const [args, says] of BAD) {
  test(`${args.join(' ')} is refused with exit code 2`, async (t) => {
    const { code, stderr } = await sandbox(t).run(['start', ...args, ...SLEEP]);
    assert.equal(code, 2);
    assert.match(stderr, says);
  });
}
