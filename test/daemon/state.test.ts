// What of the script goes on in the daemon: everything by fork, nothing but how it was run by exec.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { before, suite, test } from 'node:test';
import { daemonFolder, processesOf, type StartedDaemon, startDaemon } from '../helpers/daemon.js';
import { nullSeparated } from '../helpers/exec.js';
import { fixturePath, startProgram, suiteScope, until } from '../helpers/fixture.js';

suite('by fork the daemon has the state of the script', () => {
  const scope = suiteScope();
  let daemon: StartedDaemon;
  before(async () => {
    daemon = await startDaemon(scope, { mode: 'fork' }, { prepare: ['server', 'timer', 'worker'] });
  });

  test('it was run once', () => {
    assert.equal(readFileSync(`${daemon.folder}/runs`, 'utf8'), `${daemon.starter.pid}\n`);
  });

  test('a server that listens serves from the daemon', async () => {
    const { port } = await daemon.ask<{ port: number }>('state');
    assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), `${daemon.pid}`);
  });

  test('a timer goes on', async () => {
    await daemon.ask('ticksAgain');
  });

  test('a Worker goes on', async () => {
    assert.equal(await daemon.ask('askWorker', 41), 42);
  });

  test("process.pid and the Daemon's are its own", async () => {
    const { pid, preparedBy } = await daemon.ask<{ pid: number; preparedBy: number }>('state');
    assert.deepEqual([pid, preparedBy], [daemon.pid, daemon.starter.pid]);
  });
});

suite('by exec the script runs again', () => {
  const scope = suiteScope();
  const execArgv = ['--no-warnings', '--max-old-space-size=99'];
  let daemon: StartedDaemon;
  before(async () => {
    daemon = await startDaemon(scope, { mode: 'exec' }, { prepare: ['timer', 'server'], execArgv });
  });

  test('once more, in the daemon', () => {
    assert.equal(readFileSync(`${daemon.folder}/runs`, 'utf8'), `${daemon.starter.pid}\n${daemon.pid}\n`);
  });

  test('with the same argv and execArgv', async () => {
    const again = await daemon.ask<{ argv: string[]; execArgv: string[] }>('arguments');
    assert.deepEqual(again.execArgv, execArgv);
    assert.deepEqual(again.argv.slice(0, 3), [process.execPath, fixturePath('daemon'), daemon.folder]);
    assert.deepEqual(again.argv.slice(4), ['timer', 'server']);
    assert.deepEqual(nullSeparated(`/proc/${daemon.pid}/cmdline`), [
      again.argv[0],
      ...execArgv,
      ...again.argv.slice(1),
    ]);
  });

  test('and what it does before the call is done anew', async () => {
    const { preparedBy } = await daemon.ask<{ preparedBy: number }>('state');
    assert.equal(preparedBy, daemon.pid);
    assert.equal(await daemon.ask('get'), `${daemon.pid}`);
  });
});

const DAEMON = `
  const { appendFileSync } = await import('node:fs');
  const { daemonize } = await import(${JSON.stringify(import.meta.resolve('posix-daemon'))});
  daemonize({ mode: 'exec' });
  appendFileSync(process.argv[1] + '/said', process.pid + ' ' + process.argv.slice(1).join());
  setInterval(() => {}, 1000);`;

for (const args of [
  ['-e', `(async () => {${DAEMON}})()`],
  [`--eval=(async () => {${DAEMON}})()`],
  ['-p', `(async () => {${DAEMON}})(), 'printed'`],
  ['--input-type=module', '-e', DAEMON],
]) {
  test(`by exec the script of node ${args[0]?.slice(0, 12)} runs again, with its arguments`, async (t) => {
    const folder = daemonFolder(t);
    const { outcome, pid } = startProgram(t, process.execPath, [...args, '--', folder, 'two']);
    const { code, stderr } = await outcome;
    assert.deepEqual([code, stderr], [0, '']);
    await until('the daemon has said it', () => existsSync(`${folder}/said`));
    const [daemon] = processesOf(folder);
    assert.notEqual(daemon, pid);
    assert.equal(readFileSync(`${folder}/said`, 'utf8'), `${daemon} ${folder},two`);
  });
}
