// What becomes of those that have the pipe of a supervisor which was killed, and that nobody has heard of.
import assert from 'node:assert/strict';
import { closeSync, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { pipe } from 'posix-daemon';
import { LeftCgroups } from '#dist/watchdog/cgroup.js';
import { Guards } from '#dist/watchdog/command/guards.js';
import { stat } from '../helpers/exec.js';
import { type Running, startProgram, until } from '../helpers/fixture.js';

interface Pipe {
  reading: number;
  writing: number;
  inode: number;
  /** When it has no writer any more. */
  silent(): Promise<unknown>;
}

function makePipe(t: TestContext): Pipe {
  const [reading, writing] = pipe();
  const socket = new Socket({ fd: reading, readable: true, writable: false });
  t.after(() => socket.destroy());
  const silent = () => {
    closeSync(writing);
    return new Promise((resolve) => void socket.resume().once('close', resolve));
  };
  return { reading, writing, inode: fstatSync(reading).ino, silent };
}

async function stopped(t: TestContext, input: number, script: string): Promise<Running> {
  const program = startProgram(t, 'sh', ['-c', `${script}; kill -STOP $$; while :; do sleep 0.01; done`], {
    stdio: [input, 'ignore', 'ignore'],
  });
  await until('it is stopped', () => stat(program.pid, 3) === 'T');
  return program;
}

/** No process has this one as its parent. */
const NOBODY = 0;

test('a stopped process that nobody has heard of is told to go on and end', async (t) => {
  const { inode, writing, silent } = makePipe(t);
  const guard = await stopped(t, writing, 'trap "exit 3" TERM');
  await new Guards(NOBODY, inode, new LeftCgroups(undefined)).gone(silent(), 0);
  assert.equal((await guard.outcome).code, 3);
});

test('one that doesn’t is killed', async (t) => {
  const { inode, writing, silent } = makePipe(t);
  const guard = await stopped(t, writing, 'trap "" TERM');
  await new Guards(NOBODY, inode, new LeftCgroups(undefined)).gone(silent(), 0);
  assert.equal((await guard.outcome).signal, 'SIGKILL');
});

test('who reads the pipe, or has another one, is left alone', async (t) => {
  const { inode, reading, writing, silent } = makePipe(t);
  const reader = await stopped(t, reading, ':');
  const stranger = await stopped(t, makePipe(t).writing, ':');
  const guard = await stopped(t, writing, 'trap "" TERM');
  await new Guards(NOBODY, inode, new LeftCgroups(undefined)).gone(silent(), 0);
  assert.equal((await guard.outcome).signal, 'SIGKILL');
  assert.deepEqual([stat(reader.pid, 3), stat(stranger.pid, 3)], ['T', 'T']);
});

test('nobody is signalled once the watchdog has no more part in it', async (t) => {
  const { inode, writing, silent } = makePipe(t);
  const own = await stopped(t, writing, ':');
  const guards = new Guards(NOBODY, inode, new LeftCgroups(undefined));
  const gone = guards.gone(silent(), 0);
  guards.close();
  // Time enough for what another one does.
  const others = makePipe(t);
  const guard = await stopped(t, others.writing, 'trap "" TERM');
  await new Guards(NOBODY, others.inode, new LeftCgroups(undefined)).gone(others.silent(), 0);
  assert.equal((await guard.outcome).signal, 'SIGKILL');
  assert.equal(stat(own.pid, 3), 'T');
  own.child.kill('SIGKILL');
  await gone;
});
