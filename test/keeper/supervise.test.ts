// The keeper as a supervisor: what it does when programs end, and what it is told.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openProcess } from 'posix-daemon';
import { keeperPath } from '#dist/daemon/keeper.js';
import { compileFixture, needsCompiler } from '../helpers/compile.js';
import { childrenOf, hasEnded, temporaryDirectory } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { inPidNamespace, namespaceRefused } from '../helpers/namespace.js';
import { supervise, superviseAlone, superviseProgram, superviseThrough } from '../helpers/supervised.js';
import { zombiesOf } from '../helpers/watchdog.js';

const STAY = 'exec sleep 1000';
const { SIGKILL } = constants.signals;

test('a program that is killed is replaced, and the events tell so', async (t) => {
  const supervised = supervise(t, STAY);
  const first = await supervised.program();
  first.handle.signal('SIGKILL');
  assert.deepEqual(await supervised.event('exit'), ['1', `${first.pid}`, `${SIGKILL}`, '0', 'none', '0']);
  const second = await supervised.program();
  assert.notEqual(second.pid, first.pid);
  assert.deepEqual(zombiesOf(supervised.pid), []);
});

test('a program that is given up ends the supervisor, which tells why', async (t) => {
  const supervised = supervise(t, 'exit 3', '--max-restarts', '2:60000', '--foreground', '--name', 'app');
  assert.deepEqual((await supervised.event('stopped')).map(Number), [3 << 8]);
  const { code, stderr } = await supervised.ended;
  assert.equal(code, 3);
  assert.match(stderr, /^posix-daemon: app: worker 1 is given up: exit code 3, after 2 restarts within 60000 ms$/m);
});

test('a program that isn’t there is tried again after a pause, and then given up with env’s code', async (t) => {
  const flags = ['--max-restarts', '2:60000', '--backoff', '1:4:2:0:1000', '--foreground'];
  const supervised = superviseProgram(t, ['/nowhere/app', 'app'], ...flags);
  assert.deepEqual(await supervised.event('failed'), ['1', '2', 'execve', '1', '/nowhere/app']);
  assert.deepEqual(await supervised.event('failed'), ['1', '2', 'execve', '2', '/nowhere/app']);
  assert.deepEqual(await supervised.event('failed'), ['1', '2', 'execve', '-2', '/nowhere/app']);
  assert.equal((await supervised.ended).code, 127);
});

test('a program that daemonizes itself is told so, and nothing of it stays', async (t) => {
  // The substitution ends when the one in the background has closed its output.
  const script = 'echo $( (setsid sh -c "echo \\$\\$; exec sleep 1000 > /dev/null" &) )';
  const supervised = supervise(t, script, '--max-restarts', '0:1');
  const left = Number(await supervised.line());
  const [, , , count] = await supervised.event('exit');
  assert.equal(count, '1');
  assert.match((await supervised.ended).stderr, /worker 1 ended and left 1 process, which had to be killed/);
  assert.ok(hasEnded(left));
});

describe('what ends programs', () => {
  test('SIGTERM asks with the stop signal, and then the supervisor ends as the program did', async (t) => {
    const script = 'trap "echo got; exit 5" INT; echo ready; while :; do sleep 1000 & wait; done';
    const supervised = supervise(t, script, '--stop-signal', '2', '--foreground');
    await supervised.line();
    supervised.keeper.kill('SIGTERM');
    assert.equal(await supervised.line(), 'got');
    assert.equal((await supervised.ended).code, 5);
  });
  test('what is deaf to it is killed after the time-out, with all that it has started', async (t) => {
    const script = 'trap "" TERM; setsid sh -c "echo \\$\\$; exec sleep 1000" & wait';
    const supervised = supervise(t, script, '--stop-timeout-ms', '50', '--foreground');
    const grandchild = supervised.hold(Number(await supervised.line()));
    supervised.tell('stop');
    assert.equal((await supervised.ended).signal, 'SIGKILL');
    assert.equal(grandchild.alive, false);
  });
  test('a second signal kills at once', async (t) => {
    const script = 'trap "echo deaf" TERM; echo ready; while :; do sleep 1000 & wait; done';
    const supervised = supervise(t, script, '--foreground');
    await supervised.line();
    supervised.keeper.kill('SIGTERM');
    assert.equal(await supervised.line(), 'deaf');
    supervised.keeper.kill('SIGINT');
    assert.equal((await supervised.ended).signal, 'SIGKILL');
  });
  test('the same signal again, moments later, is no second one', async (t) => {
    const script = 'trap "echo deaf; sleep 0.05; exit 7" TERM; echo ready; while :; do sleep 1000 & wait; done';
    const supervised = supervise(t, script, '--foreground');
    await supervised.line();
    supervised.keeper.kill('SIGTERM');
    assert.equal(await supervised.line(), 'deaf');
    supervised.keeper.kill('SIGTERM');
    assert.equal((await supervised.ended).code, 7);
  });
  test('a signal is passed on to every program', async (t) => {
    const script = 'trap "echo usr1" USR1; echo ready; while :; do sleep 1000 & wait; done';
    const supervised = supervise(t, script, '--workers', '2');
    for (const expected of ['ready', 'ready']) assert.equal(await supervised.line(), expected);
    supervised.keeper.kill('SIGUSR1');
    for (const expected of ['usr1', 'usr1']) assert.equal(await supervised.line(), expected);
  });
  test('a signal that comes before the program is loaded is the program’s', async (t) => {
    const supervised = supervise(t, STAY, '--foreground');
    supervised.keeper.kill('SIGTERM');
    const { code, signal } = await supervised.ended;
    assert.ok(signal === 'SIGTERM' || code !== null, 'it has ended');
  });
});

describe('death follows', () => {
  const family = 'setsid sh -c "echo \\$\\$; exec sleep 1000" & (setsid sh -c "echo \\$\\$; exec sleep 1000" &); wait';
  test('SIGKILL of the supervisor takes the program and all that it has started', async (t) => {
    const supervised = supervise(t, family);
    const { handle, guard } = await supervised.program();
    const held = [handle, supervised.hold(guard)];
    for (let n = 0; n < 2; n++) held.push(supervised.hold(Number(await supervised.line())));
    supervised.keeper.kill('SIGKILL');
    await until('all are gone', () => held.every(({ alive }) => !alive));
  });
  test('SIGKILL of the guard takes the program and its tree, and another one is there', async (t) => {
    const supervised = supervise(t, family);
    const first = await supervised.program();
    const held = [first.handle];
    for (let n = 0; n < 2; n++) held.push(supervised.hold(Number(await supervised.line())));
    supervised.hold(first.guard).signal('SIGKILL');
    const second = await supervised.program();
    assert.notEqual(second.guard, first.guard);
    assert.ok(held.every(({ alive }) => !alive));
    assert.deepEqual(zombiesOf(supervised.pid), []);
  });
  test('a guard that is stopped is no obstacle', async (t) => {
    const supervised = supervise(t, STAY);
    const first = await supervised.program();
    supervised.hold(first.guard).signal('SIGSTOP');
    first.handle.signal('SIGKILL');
    const second = await supervised.program();
    assert.notEqual(second.pid, first.pid);
  });
  test('the end of the control pipe is the end of all', async (t) => {
    const supervised = supervise(t, STAY);
    const { handle } = await supervised.program();
    supervised.keeper.stdio[4]?.destroy();
    await supervised.ended;
    assert.equal(handle.alive, false);
  });
});

describe('how it follows', () => {
  const parent = ['--parent', `${process.pid}`];
  test('with a grace a program may end by itself when the parent has gone', async (t) => {
    const script = 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 1000 & wait; done';
    const supervised = supervise(t, script, ...parent, '--parent-grace-ms', '10000');
    await supervised.line();
    supervised.keeper.stdio[4]?.destroy();
    assert.equal(await supervised.line(), 'bye');
    await supervised.ended;
  });
  test('a guard gives the grace when it is the supervisor that was killed', async (t) => {
    const script = 'trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 1000 & wait; done';
    const supervised = supervise(t, script, ...parent, '--parent-grace-ms', '10000');
    await supervised.line();
    const { handle } = await supervised.program();
    supervised.keeper.kill('SIGKILL');
    assert.equal(await supervised.line(), 'bye');
    await until('it is gone', () => !handle.alive);
  });
  test('and kills when the grace is over', async (t) => {
    const supervised = supervise(
      t,
      'trap "" TERM; echo ready; sleep 1000 & wait',
      ...parent,
      '--parent-grace-ms',
      '30',
    );
    await supervised.line();
    const { handle, guard } = await supervised.program();
    const held = [handle, supervised.hold(guard)];
    supervised.keeper.kill('SIGKILL');
    await until('they are gone', () => held.every(({ alive }) => !alive));
  });
  test('a parent that has gone before is no parent', async (t) => {
    const { stderr } = await supervise(t, STAY, '--parent', '1').ended;
    assert.match(stderr, /prctl: No such process/);
  });
});

/** A cgroup (v2) that this process could make others in. */
function writableCgroup(): string | undefined {
  const mount = /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (mount === undefined || own === undefined) return undefined;
  const folder = join(mount, own);
  try {
    rmdirSync(mkdtempSync(`${folder}/test-`));
    return folder;
  } catch {
    return undefined;
  }
}

const cgroups = writableCgroup();
const groupsOf = (guard: number) =>
  readdirSync(cgroups as string).filter((name) => name.startsWith('posix-daemon-') && name.endsWith(`-${guard}`));

describe('in a cgroup', { skip: cgroups ? false : 'no cgroup (v2) that can be written' }, () => {
  test('the program is in one of its own, which goes with it', async (t) => {
    const supervised = supervise(t, `echo ready; ${STAY}`, '--cgroup', cgroups as string);
    const { guard, handle } = await supervised.program();
    await supervised.line();
    assert.match(
      readFileSync(`/proc/${handle.pid}/cgroup`, 'utf8'),
      new RegExp(`^0::.*/posix-daemon-\\d+-${guard}$`, 'm'),
    );
    supervised.tell('kill');
    await supervised.ended;
    assert.equal(handle.alive, false);
    assert.deepEqual(groupsOf(guard), []);
  });
  test('what the program starts first is in it as well', async (t) => {
    const supervised = supervise(t, `cat /proc/self/cgroup; ${STAY}`, '--cgroup', cgroups as string);
    const { guard } = await supervised.program();
    let line = '';
    while (!line.startsWith('0::')) line = await supervised.line();
    assert.match(line, new RegExp(`/posix-daemon-\\d+-${guard}$`));
  });
  test('what a killed guard has left of it goes, too', async (t) => {
    const supervised = supervise(t, STAY, '--cgroup', cgroups as string);
    const first = await supervised.program();
    supervised.hold(first.guard).signal('SIGKILL');
    await supervised.program();
    await until('it is gone', () => groupsOf(first.guard).length === 0);
  });
});

test('without --tree the program dies with its guard, and what it has started stays', async (t) => {
  const supervised = superviseAlone(t, 'setsid sh -c "echo \\$\\$; exec sleep 1000" & wait');
  const { handle, guard } = await supervised.program();
  const grandchild = supervised.hold(Number(await supervised.line()));
  supervised.hold(guard).signal('SIGKILL');
  await supervised.program();
  supervised.hold(Number(await supervised.line()));
  assert.deepEqual([handle.alive, grandchild.alive], [false, true]);
});

describe('a pool', () => {
  test('each program has its number, and one that dies touches no other', async (t) => {
    const supervised = supervise(t, `echo $WORKER_INDEX; ${STAY}`, '--workers', '3');
    assert.deepEqual((await Promise.all([1, 2, 3].map(() => supervised.line()))).sort(), ['1', '2', '3']);
    const all = await Promise.all([1, 2, 3].map(() => supervised.program()));
    const second = all.find(({ worker }) => worker === 2);
    second?.handle.signal('SIGKILL');
    assert.equal(await supervised.line(), '2');
    assert.equal((await supervised.program()).worker, 2);
    assert.deepEqual(
      all.filter(({ handle }) => !handle.alive),
      [second],
    );
  });
  test('SIGTTIN and SIGTTOU change nothing: the kernel sends them, and no person', async (t) => {
    const script = `trap 'echo passed on' USR1; echo trapped; while :; do sleep 0.01; done`;
    const supervised = supervise(t, script, '--workers', '2');
    const programs = [await supervised.program(), await supervised.program()];
    for (const _ of programs) assert.equal(await supervised.line(), 'trapped');
    for (const signal of ['SIGTTIN', 'SIGTTOU', 'SIGUSR1'] as const) supervised.keeper.kill(signal);
    for (const _ of programs) assert.equal(await supervised.line(), 'passed on');
    assert.deepEqual(childrenOf(supervised.pid).sort(), programs.map(({ guard }) => guard).sort());
    assert.ok(programs.every(({ handle }) => handle.alive));
  });
  test('a rolling restart begins anew when it is asked for again', async (t) => {
    const supervised = supervise(t, STAY, '--up-ms', '50');
    await supervised.event('ready');
    for (let n = 0; n < 3; n++) {
      supervised.tell('restart');
      assert.equal((await supervised.event('exit'))[4], 'restart');
      await supervised.event('spawn');
    }
  });
  test('it is resized over the control pipe', async (t) => {
    const supervised = supervise(t, STAY);
    await supervised.program();
    supervised.tell('workers 3');
    const more = [await supervised.program(), await supervised.program()];
    assert.deepEqual(more.map(({ worker }) => worker).sort(), [2, 3]);
    supervised.tell('workers 1');
    await until('two are gone', () => more.every(({ handle }) => !handle.alive));
  });
  test('a rolling restart replaces one after the other, each when the one before it is ready', async (t) => {
    const supervised = supervise(t, STAY, '--workers', '2', '--up-ms', '20');
    const old = [await supervised.program(), await supervised.program()];
    for (let n = 0; n < 2; n++) await supervised.event('ready');
    supervised.tell('restart');
    assert.deepEqual((await supervised.event('exit')).slice(4), ['restart', '0']);
    assert.ok(old.find(({ worker }) => worker === 2)?.handle.alive);
    await supervised.program();
    await supervised.event('ready');
    await supervised.event('exit');
    await supervised.program();
    assert.ok(old.every(({ handle }) => !handle.alive));
  });
});

test('a worker that waits for its next start is not held up by another one’s longer pause', async (t) => {
  const script = `[ $WORKER_INDEX = 1 ] && exit 1; ${STAY}`;
  const flags = ['--workers', '2', '--backoff', '20:60000:3000:0:60000', '--max-restarts', '100:60000'];
  const supervised = supervise(t, script, ...flags);
  const secondWorker = async () => {
    let [worker, pid] = await supervised.event('spawn');
    while (worker !== '2') [worker, pid] = await supervised.event('spawn');
    return supervised.hold(Number(pid));
  };
  let second = await secondWorker();
  while ((await supervised.event('exit'))[5] !== '60000');
  for (let n = 0; n < 2; n++) {
    second.signal('SIGKILL');
    second = await secondWorker();
  }
});

test('with fewer descriptors than workers need it goes on, and hears', async (t) => {
  const limited = ['sh', '-c', 'ulimit -n 40; exec "$@"', 'sh'];
  const supervised = superviseThrough(t, limited, STAY, '--tree', '--workers', '20');
  await supervised.program();
  supervised.keeper.kill('SIGTERM');
  await supervised.ended;
});

test('a standard error that nobody reads holds up nothing', async (t) => {
  const flags = ['--tree', '--restart', 'always', '--max-restarts', '0:1000'];
  const keeper = spawn(keeperPath(), ['run', ...flags, '--', '/bin/sh', 'sh', '-c', 'echo $$; exec yes >&2'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => keeper.kill('SIGKILL'));
  const pid = Number(await once(keeper.stdout as Socket, 'data').then(([data]) => `${data}`));
  await until('it waits for room', () => /pipe|sock|alloc/.test(readFileSync(`/proc/${pid}/wchan`, 'utf8')));
  using program = openProcess(pid);
  program.signal('SIGKILL');
  await once(keeper, 'exit');
});

test('a guard for what is no child of its own is refused', async (t) => {
  const refused = namespaceRefused();
  if (refused) return t.skip(refused);
  for (const worker of ['-1', '0', '1', 'x']) {
    const { code } = await inPidNamespace(t, [keeperPath(), 'tree', worker, '1']);
    assert.equal(code, 2);
  }
});

describe('health', () => {
  test('READY=1 that comes before anything else is heard', needsCompiler, async (t) => {
    const program = compileFixture('notify', temporaryDirectory(t));
    const flags = ['--tree', '--workers', '8', '--ready', 'notify'];
    const supervised = superviseProgram(t, [program, 'notify'], ...flags);
    for (let n = 0; n < 8; n++) await supervised.event('ready');
  });
  const notify = (text: string) =>
    `python3 -c 'import os,socket; a=os.environ["NOTIFY_SOCKET"]; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM); s.sendto(b"${text}", "\\0"+a[1:])'`;
  test('with notify a program is ready when it says READY=1 as sd_notify does', async (t) => {
    const supervised = supervise(t, `${notify('STATUS=up\\nREADY=1')}; ${STAY}`, '--ready', 'notify');
    const { pid } = await supervised.program();
    assert.deepEqual(await supervised.event('ready'), ['1', `${pid}`]);
  });
  test('a program that isn’t ready in time is killed and replaced', async (t) => {
    const supervised = supervise(t, STAY, '--ready', 'notify', '--ready-timeout-ms', '50');
    assert.equal((await supervised.event('exit'))[4], 'ready');
    await supervised.event('spawn');
    await supervised.event('spawn');
  });
  test('a program that gives no WATCHDOG=1 is killed and replaced', async (t) => {
    const supervised = supervise(t, `echo $WATCHDOG_USEC; ${STAY}`, '--heartbeat-ms', '50');
    assert.equal(await supervised.line(), '50000');
    assert.equal((await supervised.event('exit'))[4], 'heartbeat');
    await supervised.event('spawn');
  });
  test('a program that gives WATCHDOG=1 often enough stays', async (t) => {
    const script = `import os, socket, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end = time.monotonic() + 1.2
while time.monotonic() < end:
    s.sendto(b"WATCHDOG=1", "\\0" + os.environ["NOTIFY_SOCKET"][1:])
print("done")`;
    const supervised = superviseProgram(
      t,
      ['/usr/bin/python3', 'python3', '-c', script],
      ...['--heartbeat-ms', '1000', '--restart', 'never'],
    );
    assert.equal(await supervised.line(), 'done');
    assert.equal((await supervised.event('exit'))[4], 'none');
  });
  test('with a port a program is ready when the port is open', async (t) => {
    const port = 20_000 + (process.pid % 20_000);
    const script = `exec ${process.execPath} -e 'require("net").createServer().listen(${port}, "127.0.0.1")'`;
    const supervised = supervise(t, script, '--ready', `port:127.0.0.1:${port}`);
    const { pid } = await supervised.program();
    assert.deepEqual(await supervised.event('ready'), ['1', `${pid}`]);
  });
  test('a program that grows too large is asked to end and replaced', async (t) => {
    const supervised = supervise(t, STAY, '--max-rss', '1');
    assert.equal((await supervised.event('exit'))[4], 'rss');
    await supervised.event('spawn');
    await supervised.event('spawn');
  });
});

test('the supervisor has no child but its guards, and they have none but their programs', async (t) => {
  const supervised = supervise(t, 'sh -c "exit 0" & wait; echo done; exec sleep 1000');
  const { guard } = await supervised.program();
  await supervised.line();
  assert.deepEqual([zombiesOf(supervised.pid), zombiesOf(guard)], [[], []]);
  assert.equal(hasEnded(guard), false);
});
