// When the starter may go, and what it says if it never may.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { suite, type TestContext, test } from 'node:test';
import type { DaemonizeOptions } from 'posix-daemon';
import { type Launch, launch, processesOf, startDaemon, type TestDaemon } from '../helpers/daemon.js';
import { hasEnded } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';

// By exec the starter waits in the same way.
const ENDING = {
  fork: ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGKILL'],
  exec: ['SIGTERM', 'SIGKILL'],
} as const;

/** A daemon that has yet to say that it is ready. */
async function unready(
  t: TestContext,
  mode: 'fork' | 'exec',
  options: DaemonizeOptions = {},
): Promise<Launch & { told: TestDaemon }> {
  const launched = launch(t, (folder) => ({ mode, ready: 'manual', pidFile: `${folder}/pid`, ...options }));
  return { ...launched, told: await launched.daemon };
}

async function assertNothingLeft(folder: string): Promise<void> {
  await until('all processes have ended', () => processesOf(folder).length === 0);
  assert.equal(existsSync(`${folder}/pid`), false);
}

async function assertFailed({ folder, starter }: Launch, reason: string | RegExp): Promise<void> {
  const { code, signal, stdout, stderr } = await starter.outcome;
  assert.match(stderr, typeof reason === 'string' ? /^/ : reason);
  if (typeof reason === 'string') assert.equal(stderr, `daemon.js: ${reason}\n`);
  assert.deepEqual({ code, signal, stdout }, { code: 1, signal: null, stdout: '' });
  await assertNothingLeft(folder);
}

for (const mode of ['fork', 'exec'] as const) {
  suite(`by ${mode}`, { concurrency: availableParallelism() }, () => {
    test('the starter waits until the daemon is ready, and then exits with 0', async (t) => {
      const { starter, told } = await unready(t, mode);
      assert.equal(hasEnded(starter.pid), false);
      await told.ask('ready');
      assert.deepEqual(await starter.outcome, { code: 0, signal: null, stdout: '', stderr: '' });
      // Twice is once, and the starter isn't missed.
      await told.ask('ready');
      assert.equal(hasEnded(told.pid), false);
    });

    test("the starter prints the daemon's reason for a failure", async (t) => {
      const launched = await unready(t, mode, { name: 'served' });
      await launched.told.ask('fail', 'no port is free');
      const { code, stderr } = await launched.starter.outcome;
      assert.deepEqual([code, stderr], [1, 'served: no port is free\n']);
      await assertNothingLeft(launched.folder);
    });

    test('the starter prints an error that the daemon throws, with its stack', async (t) => {
      const launched = await unready(t, mode);
      await launched.told.ask('throw', 'thrown too early');
      await assertFailed(launched, /^daemon\.js: Error: thrown too early\n {4}at /);
    });

    test('the starter prints a rejection that the daemon leaves alone', async (t) => {
      const launched = await unready(t, mode);
      await launched.told.ask('reject', 'rejected too early');
      await assertFailed(launched, /^daemon\.js: Error: rejected too early\n {4}at /);
    });

    for (const code of [0, 7]) {
      test(`the starter tells of a daemon that exits with ${code} before it is ready`, async (t) => {
        const launched = await unready(t, mode);
        await launched.told.ask('exit', code);
        await assertFailed(launched, `the daemon exited with code ${code} before it was ready`);
      });
    }

    for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
      test(`the starter tells of a daemon that is killed by ${signal} before it is ready`, async (t) => {
        const launched = await unready(t, mode);
        process.kill(launched.told.pid, signal);
        await assertFailed(launched, `the daemon was killed by ${signal} before it was ready`);
      });
    }

    test('a daemon that is not ready in time is killed', async (t) => {
      const options = { mode, ready: 'manual', readyTimeoutMs: 500 } as const;
      const launched = launch(t, (folder) => ({ ...options, pidFile: `${folder}/pid` }));
      await assertFailed(launched, 'the daemon was not ready within 500 ms and was killed');
    });

    for (const signal of ENDING[mode]) {
      test(`a daemon that is not ready ends when its starter gets ${signal}`, async (t) => {
        const { folder, starter } = await unready(t, mode);
        starter.child.kill(signal);
        assert.equal((await starter.outcome).signal, signal);
        await assertNothingLeft(folder);
      });
    }

    test('a daemon that is ready goes on, whatever happens to it later is no matter of the starter', async (t) => {
      const { ask, pid, starter } = await startDaemon(t, { mode });
      assert.deepEqual([starter.code, starter.stderr], [0, '']);
      await ask('fail', 'too late');
      await until('it has ended', () => hasEnded(pid));
    });

    for (const [what, options, reason] of [
      ['working directory', { cwd: '/nonexistent' }, "ENOENT: no such file or directory, chdir '/nonexistent'"],
      ['folder for the pid file', { pidFile: '/nonexistent/pid' }, /^daemon\.js: ENOENT: .*'\/nonexistent/],
      ['folder for the log', { stderr: '/nonexistent/log' }, /^daemon\.js: ENOENT: .* open '\/nonexistent\/log'\n$/],
      ['standard input', { stdin: '/nonexistent' }, "ENOENT: no such file or directory, open '/nonexistent'"],
    ] as const) {
      test(`a ${what} that isn't there fails the start, and leaves nothing`, async (t) => {
        const launched = launch(t, (folder) => ({
          mode,
          pidFile: `${folder}/pid`,
          stdout: `${folder}/log`,
          ...options,
        }));
        await assertFailed(launched, reason);
        assert.equal(existsSync(`${launched.folder}/log`), false);
      });
    }

    test('a second daemon of the same pid file is refused, and the first goes on', async (t) => {
      const { folder, pid } = await startDaemon(t, (own) => ({ mode, pidFile: `${own}/pid` }));
      const { starter } = launch(t, { mode, pidFile: `${folder}/pid` });
      const { code, stderr } = await starter.outcome;
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`^daemon\\.js: already running: pid ${pid}, since \\S+ \\(${folder}/pid\\)\n$`));
      assert.equal(readFileSync(`${folder}/pid`, 'utf8'), `${pid}\n`);
      assert.equal(hasEnded(pid), false);
    });

    test("'exit' handlers run in the daemon only", async (t) => {
      const { folder, pid, end } = await startDaemon(t, { mode }, { prepare: ['recordExits'] });
      await end();
      assert.equal(readFileSync(`${folder}/exits`, 'utf8'), `${pid} 0\n`);
    });

    test("'exit' handlers run in the starter, too, when the start fails", async (t) => {
      const { folder, starter } = launch(t, { mode, cwd: '/nonexistent' }, { prepare: ['recordExits'] });
      await starter.outcome;
      assert.equal(readFileSync(`${folder}/exits`, 'utf8'), `${starter.pid} 1\n`);
    });

    test('release() removes the pid file, and another daemon may start', async (t) => {
      const { folder, ask } = await startDaemon(t, (own) => ({ mode, pidFile: `${own}/pid` }));
      await ask('release');
      assert.equal(existsSync(`${folder}/pid`), false);
      const second = await startDaemon(t, { mode, pidFile: `${folder}/pid` });
      assert.equal(readFileSync(`${folder}/pid`, 'utf8'), `${second.pid}\n`);
    });
  });
}
