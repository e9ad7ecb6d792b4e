import assert from 'node:assert/strict';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { SELF, sandbox } from '../helpers/command.js';
import { hasEnded } from '../helpers/exec.js';
import { procStatus } from '../helpers/fixture.js';
import { type OnTerminal, onTerminal } from '../helpers/pty.js';

test('run stays, with the program’s output and exit code, and no Node beside it', async (t) => {
  const { begin, home } = sandbox(t);
  const running = begin(['run', '--', 'sh', '-c', 'echo out; echo err >&2; exec sleep 1000']);
  assert.equal(await running.line(), 'out');
  assert.equal(basename(readlinkSync(`/proc/${running.pid}/exe`)), 'posix-daemon-keeper');
  assert.equal(readFileSync(join(home, 'sh.pid'), 'utf8'), `${running.pid}\n`);
  process.kill(running.pid, 'SIGTERM');
  const { signal, stderr } = await running.outcome;
  assert.deepEqual([signal, stderr], ['SIGTERM', 'err\n']);
  assert.ok(!existsSync(join(home, 'sh.pid')));
});

test('run ends as the program did', async (t) => {
  const { run } = sandbox(t);
  assert.equal((await run(['run', '--', 'sh', '-c', 'exit 7'])).code, 7);
  assert.equal((await run(['run', '--name', 'b', '--', 'sh', '-c', 'kill -USR1 $$'])).signal, 'SIGUSR1');
});

test('run passes on what start would, and logs where it is told to', async (t) => {
  const { run, write, folder } = sandbox(t);
  write('once.js', SELF.replace(/setInterval.*/, ''));
  const { stdout } = await run(['run', '--env', 'A=1', '--umask', '027', '--log', 'log', 'once.js', '-x']);
  assert.equal(stdout, '');
  const { argv, env, umask } = JSON.parse(readFileSync(join(folder, 'log'), 'utf8'));
  assert.deepEqual([argv, env.A, env.POSIX_DAEMON_HOME, umask], [['-x'], '1', undefined, 0o027]);
});

test('a Ctrl-C at the terminal reaches the program once', async (t) => {
  const { run } = sandbox(t);
  const script = `process.on('SIGINT', () => { console.log('interrupted'); setTimeout(() => process.exit(5), 50); });
    console.log('up'); setInterval(() => {}, 1000);`;
  const via = onTerminal([['up', '\x03']]);
  const { stdout, stderr } = await run(['run', '--name', 'x', '--', process.execPath, '-e', script], { via });
  assert.equal(stderr, '');
  const { screen, code } = JSON.parse(stdout) as OnTerminal;
  assert.deepEqual([screen.match(/interrupted/g)?.length, code], [1, 5]);
});

test('a Ctrl-C ends a program that doesn’t catch it, and run by the same signal', async (t) => {
  const { run } = sandbox(t);
  const via = onTerminal([['up', '\x03']]);
  const { stdout } = await run(['run', '--', 'sh', '-c', 'echo up; exec sleep 1000'], { via });
  assert.equal((JSON.parse(stdout) as OnTerminal).code, -2);
});

test('status and stop know one that runs in the foreground; restart refuses it', async (t) => {
  const { begin, run, ok } = sandbox(t);
  const running = begin(['run', '--name', 'fg', '--', 'sh', '-c', 'echo $$; exec sleep 1000']);
  const pid = Number(await running.line());
  assert.match(
    await ok(['status', 'fg']),
    new RegExp(`^fg: running in the foreground for .*\\n +pid: +${pid}, kept by`),
  );
  assert.equal(JSON.parse((await run(['restart', '--json', 'fg'])).stdout).daemons[0].error.code, 'ERR_FOREGROUND');
  assert.equal(
    JSON.parse((await run(['run', '--json', '--name', 'fg', 'sleep', '1'])).stdout).error.code,
    'ERR_ALREADY_RUNNING',
  );
  assert.equal(procStatus(pid, 'PPid'), String(running.pid));
  await ok(['stop', 'fg']);
  assert.ok(hasEnded(pid));
  assert.equal((await running.outcome).signal, 'SIGTERM');
});

test('a program that can’t be run is told', async (t) => {
  const { run, write } = sandbox(t);
  write('script', '#!/nonesuch\n', 0o755);
  const { code, stderr } = await run(['run', '--', './script']);
  assert.equal(code, 127);
  assert.match(stderr, /execve .*script: No such file or directory/);
});
