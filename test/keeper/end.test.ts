import assert from 'node:assert/strict';
import { closeSync, existsSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { childrenOf, hasEnded, temporaryDirectory } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';
import { isLocked, keep, keepShell, untilFile } from '../helpers/keeper.js';

for (const signal of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) {
  test(`${signal} stops the program and the keeper, which takes the pid file away`, async (t) => {
    const kept = keep(t, ['/bin/sleep', 'sleep', '1000']);
    const program = await kept.program();
    kept.keeper.kill(signal);
    assert.deepEqual(await kept.ended, { code: 0, signal: null, stdout: '', stderr: '' });
    assert.ok(hasEnded(program));
    assert.ok(!existsSync(kept.pidFile));
    const { state, signal: how, asked, 'exit-code': code } = kept.status();
    assert.deepEqual({ state, how, asked, code }, { state: 'exited', how: 'SIGTERM', asked: '1', code: undefined });
  });
}

test('the stop signal is the one asked for', async (t) => {
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000'], { flags: ['--stop-signal', '34'] });
  await kept.program();
  kept.keeper.kill('SIGTERM');
  await kept.ended;
  assert.equal(kept.status().signal, 'SIGRTMIN+0');
});

test('a program that takes its time is waited for, and gets a second stop signal as well', async (t) => {
  const script = `count=0; trap 'count=$((count + 1)); echo stop $count' TERM
    echo up; until [ $count = 2 ]; do sleep 0.01; done; exit 3`;
  const kept = keepShell(t, script);
  await kept.program();
  await untilFile(kept.log, 'up');
  kept.keeper.kill('SIGTERM');
  await untilFile(kept.log, 'stop 1');
  kept.keeper.kill('SIGTERM');
  assert.equal((await kept.ended).code, 0);
  assert.deepEqual([kept.status()['exit-code'], kept.status().asked], ['3', '1']);
  assert.ok(!existsSync(kept.pidFile));
});

test('USR1, USR2, WINCH and CONT reach the program, and HUP does not', async (t) => {
  const traps = ['HUP', 'USR1', 'USR2', 'WINCH', 'CONT'].map((name) => `trap 'echo got ${name}' ${name}; `).join('');
  const kept = keepShell(t, `${traps} echo up; while :; do sleep 0.01; done`);
  await kept.program();
  await untilFile(kept.log, 'up');
  for (const name of ['HUP', 'USR1', 'USR2', 'WINCH', 'CONT']) {
    kept.keeper.kill(`SIG${name}` as NodeJS.Signals);
    if (name !== 'HUP') await untilFile(kept.log, `got ${name}`);
  }
  assert.ok(!readFileSync(kept.log, 'utf8').includes('got HUP'));
});

test('a program that ends well takes the pid file along', async (t) => {
  const kept = keepShell(t, 'exit 0');
  await kept.program();
  await kept.ended;
  assert.ok(!existsSync(kept.pidFile));
  assert.deepEqual([kept.status()['exit-code'], kept.status().asked], ['0', '0']);
});

const crashes: [what: string, script: string, key: string, value: string][] = [
  ['fails', 'exit 9', 'exit-code', '9'],
  ['is killed', 'kill -ABRT $$', 'signal', 'SIGABRT'],
];
for (const [what, script, key, value] of crashes) {
  test(`a program that ${what} unasked leaves the pid file as it is, without the lock`, async (t) => {
    const kept = keepShell(t, script);
    await kept.program();
    assert.equal((await kept.ended).code, 0);
    assert.equal(readFileSync(kept.pidFile, 'utf8'), `${kept.pid}\n`);
    assert.ok(!isLocked(kept.pidFile));
    const status = kept.status();
    assert.deepEqual([status.state, status[key], status.asked], ['exited', value, '0']);
    assert.ok(Number(status['ended-at']) >= Number(status['started-at']));
  });
}

test("another daemon's file at the pid file's path stays", async (t) => {
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000']);
  await kept.program();
  const moved = join(kept.folder, 'moved');
  renameSync(kept.pidFile, moved);
  writeFileSync(kept.pidFile, '1\n');
  kept.keeper.kill('SIGTERM');
  await kept.ended;
  assert.equal(readFileSync(kept.pidFile, 'utf8'), '1\n');
  assert.equal(readFileSync(moved, 'utf8'), '');
});

/** Starts sleep, whose child waits for a writer of its input before it gets to its exec. */
async function keepWaiting(t: TestContext) {
  const folder = temporaryDirectory(t);
  const fifo = join(folder, 'fifo');
  const through = ['sh', '-c', `mkfifo ${fifo}; exec "$@"`, 'sh'];
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000'], { folder, flags: ['--stdin', fifo], through });
  await until('the keeper has its title', () => readFileSync(`/proc/${kept.pid}/comm`, 'utf8') === 'posix-daemon\n');
  const child = await until('the child is there', () => childrenOf(kept.pid)[0]);
  await until('it waits', () => readFileSync(`/proc/${child}/wchan`, 'utf8').startsWith('wait_for_partner'));
  return { kept, child, fifo };
}

test('a stop signal that comes before the program is loaded ends it as soon as it is', async (t) => {
  const { kept, child, fifo } = await keepWaiting(t);
  kept.keeper.kill('SIGTERM');
  await until('the keeper has read it', () =>
    /^SigPnd:\s+0+\n^ShdPnd:\s+0+$/m.test(readFileSync(`/proc/${kept.pid}/status`, 'utf8')),
  );
  assert.ok(!hasEnded(child));
  closeSync(openSync(fifo, 'w'));
  assert.equal(await kept.report(), `ready ${child}`);
  await kept.ended;
  assert.deepEqual([kept.status().signal, kept.status().asked], ['SIGTERM', '1']);
});

test('a child that is killed on its way to the program is reported so, not as ready', async (t) => {
  const { kept, child } = await keepWaiting(t);
  process.kill(child, 'SIGKILL');
  assert.equal(await kept.report(), 'killed 9');
  assert.ok(!existsSync(kept.pidFile));
});

test('a keeper that is killed on the way to the program takes the child along', async (t) => {
  const { kept, child } = await keepWaiting(t);
  kept.keeper.kill('SIGKILL');
  assert.equal(await kept.report(), '');
  await until('the child has ended', () => hasEnded(child));
  assert.ok(!isLocked(kept.pidFile));
});

test('a keeper that is killed takes the program along', async (t) => {
  const kept = keepShell(t, `trap '' HUP TERM INT; while :; do sleep 0.01; done`);
  const program = await kept.program();
  kept.keeper.kill('SIGKILL');
  await until('the program has ended', () => hasEnded(program));
  assert.ok(!isLocked(kept.pidFile));
});
