// Where 0, 1 and 2 of a daemon go.
import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { suite, test } from 'node:test';
import type { DaemonizeOptions } from 'posix-daemon';
import { daemonFolder, startDaemon } from '../helpers/daemon.js';
import { descriptorsOf, hasEnded } from '../helpers/exec.js';
import { until } from '../helpers/fixture.js';

const read = (path: string) => readFileSync(path, 'utf8');

for (const mode of ['fork', 'exec'] as const) {
  suite(`by ${mode}`, { concurrency: availableParallelism() }, () => {
    const shared = (folder: string): DaemonizeOptions => ({ mode, stdout: `${folder}/log`, stderr: `${folder}/log` });

    test('a log is appended to', async (t) => {
      const { ask, folder } = await startDaemon(t, (own) => {
        writeFileSync(`${own}/log`, 'there before\n', { mode: 0o604 });
        return { ...shared(own), stderr: 'null' };
      });
      await ask('log', 'added');
      assert.equal(read(`${folder}/log`), 'there before\nadded\n');
      assert.equal(statSync(`${folder}/log`).mode & 0o777, 0o604);
    });

    for (const umask of [0, 0o777]) {
      test(`with umask 0${umask.toString(8)} a log is made with mode 0640, or the one that was asked for`, async (t) => {
        const first = await startDaemon(t, (folder) => ({ ...shared(folder), umask }));
        assert.equal(statSync(`${first.folder}/log`).mode & 0o7777, 0o640);
        const second = await startDaemon(t, (folder) => ({ ...shared(folder), umask, logFileMode: 0o604 }));
        assert.equal(statSync(`${second.folder}/log`).mode & 0o7777, 0o604);
      });
    }

    test('both outputs may go to one log, line after line', async (t) => {
      const { ask, pid, folder } = await startDaemon(t, shared);
      await ask('log', '1');
      await ask('error', '2');
      await ask('log', '3');
      assert.equal(read(`${folder}/log`), '1\n2\n3\n');
      const open = descriptorsOf(pid);
      assert.deepEqual([open[0], open[1], open[2]], ['/dev/null', `${folder}/log`, `${folder}/log`]);
    });

    test("'inherit' leaves 0, 1 and 2 as the starter has them", async (t) => {
      const files = daemonFolder(t);
      const fds = ['in', 'out', 'err'].map((name) => openSync(`${files}/${name}`, 'a+'));
      const options = { mode, stdin: 'inherit', stdout: 'inherit', stderr: 'inherit' } as const;
      const { ask, pid } = await startDaemon(t, options, { stdio: fds, prepare: ['outputs'] });
      for (const fd of fds) closeSync(fd);
      const open = descriptorsOf(pid);
      assert.deepEqual([open[0], open[1], open[2]], [`${files}/in`, `${files}/out`, `${files}/err`]);
      for (const stream of ['stdout', 'stderr']) await ask('write', stream, 'after\n');
      assert.equal(read(`${files}/out`), 'before\nconsole before\nafter\n');
      assert.match(read(`${files}/err`), /^(before\n)+after\n$/);
    });

    test('descriptors that the starter was given may take the place of outputs', async (t) => {
      const files = daemonFolder(t);
      const given = `exec 6<${files}/6 7>${files}/7 8>${files}/8; exec "$@"`;
      writeFileSync(`${files}/6`, 'from 6');
      const { ask, pid } = await startDaemon(
        t,
        { mode, stdin: 6, stdout: 7, stderr: 8, keepFds: [8] },
        { execPath: '/bin/bash', execArgv: ['-c', given, 'bash', process.execPath] },
      );
      await ask('log', 'to 7');
      await ask('error', 'to 8');
      assert.equal(await ask('readAll'), 'from 6');
      assert.deepEqual([read(`${files}/7`), read(`${files}/8`)], ['to 7\n', 'to 8\n']);
      const open = Object.entries(descriptorsOf(pid)).filter(([, path]) => path.startsWith(files));
      assert.deepEqual(
        Object.fromEntries(open),
        Object.fromEntries(
          [
            [0, 6],
            [1, 7],
            [2, 8],
            [8, 8],
          ].map(([fd, name]) => [fd, `${files}/${name}`]),
        ),
      );
    });

    for (const how of ['reopenLogs()', 'SIGHUP'] as const) {
      test(`after ${how} logs go to new files under their names`, async (t) => {
        const { ask, pid, folder } = await startDaemon(t, shared);
        await ask('log', 'before');
        renameSync(`${folder}/log`, `${folder}/log.1`);
        await ask('log', 'meanwhile');
        if (how === 'SIGHUP') process.kill(pid, 'SIGHUP');
        else await ask('reopenLogs');
        await until('both outputs are on a new file', () =>
          [1, 2].every((fd) => descriptorsOf(pid)[fd] === `${folder}/log`),
        );
        await ask('log', 'out');
        await ask('error', 'err');
        assert.equal(read(`${folder}/log.1`), 'before\nmeanwhile\n');
        assert.equal(read(`${folder}/log`), 'out\nerr\n');
        assert.equal(statSync(`${folder}/log`).mode & 0o7777, 0o640);
      });
    }

    test("a log that can't be opened anew goes on in its old file, and says so", async (t) => {
      const { ask, pid, folder } = await startDaemon(t, (own) => {
        mkdirSync(`${own}/logs`);
        return { mode, name: 'served', stdout: `${own}/logs/out`, stderr: `${own}/err` };
      });
      renameSync(`${folder}/logs`, `${folder}/moved`);
      await assert.rejects(ask('reopenLogs'), /ENOENT: no such file or directory, open '.*\/logs\/out'/);
      process.kill(pid, 'SIGHUP');
      await until('it has said so', () => read(`${folder}/err`) !== '');
      assert.match(read(`${folder}/err`), /^served: the log can't be opened anew: ENOENT: .*\n$/);
      await ask('log', 'goes on');
      assert.equal(read(`${folder}/moved/out`), 'goes on\n');
      rmSync(`${folder}/moved`, { recursive: true });
    });

    test('a SIGHUP that comes as soon as the starter has heard of the daemon ends nothing', async (t) => {
      const { ask } = await startDaemon(t, shared, { prepare: ['hangupWhenReady'] });
      await ask('log', 'alive');
    });

    test('a daemon without logs dies of SIGHUP like any other program', async (t) => {
      const { pid } = await startDaemon(t, { mode });
      process.kill(pid, 'SIGHUP');
      await until('it has ended', () => hasEnded(pid));
    });
  });
}
