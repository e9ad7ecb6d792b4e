import assert from 'node:assert/strict';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { afterShell, SELF, sandbox } from '../helpers/command.js';
import { asNobody, hasEnded, needsRoot, nullSeparated, stat } from '../helpers/exec.js';
import { procStatus, until } from '../helpers/fixture.js';

interface Self {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  pid: number;
  umask: number;
}

/** What the program in SELF says, from its log. */
async function said(home: string, name: string): Promise<Self> {
  const log = join(home, `${name}.log`);
  const text = await until(
    'the program has spoken',
    () => existsSync(log) && /.*\n/.exec(readFileSync(log, 'utf8'))?.[0],
  );
  return JSON.parse(text) as Self;
}

test('start makes a daemon of a program and returns when it runs', async (t) => {
  const { start, home } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  assert.deepEqual(nullSeparated(`/proc/${pid}/cmdline`), ['sleep', '1000']);
  const keeper = Number(readFileSync(join(home, 'sleep.pid'), 'utf8'));
  assert.equal(procStatus(pid, 'PPid'), String(keeper));
  assert.equal(stat(pid, 7), '0', 'it has no terminal');
  assert.notEqual(stat(keeper, 6), String(keeper), 'nobody in its session can get one');
  assert.equal(readlinkSync(`/proc/${keeper}/cwd`), '/');
});

test('start runs a script with this Node; what follows it is the script’s', async (t) => {
  const { start, write, home, folder } = sandbox(t);
  write('app.js', SELF);
  const pid = await start(['app.js', '--port', '80', '--', '-x']);
  assert.equal(readlinkSync(`/proc/${pid}/exe`), process.execPath);
  const { argv, cwd } = await said(home, 'app');
  assert.deepEqual({ argv, cwd }, { argv: ['--port', '80', '--', '-x'], cwd: folder });
});

test('its variables are not passed on to the program, and --env sets others', async (t) => {
  const { start, write, home } = sandbox(t);
  write('app.js', SELF);
  await start(['--env', 'A=1', '--env', 'B=x=y', 'app.js'], { env: { A: '0', KEPT: '1', POSIX_DAEMON_NICE: '1' } });
  const { env } = await said(home, 'app');
  assert.deepEqual([env.A, env.B, env.KEPT], ['1', 'x=y', '1']);
  assert.deepEqual(
    Object.keys(env).filter((name) => name.startsWith('POSIX_DAEMON_')),
    [],
  );
});

test('--clean-env passes on no more than a login has', async (t) => {
  const { start, write, home } = sandbox(t);
  write('app.js', SELF);
  await start(['--clean-env', '--env', 'A=1', 'app.js'], { env: { LC_ALL: 'C', TZ: 'UTC', SECRET: 'x' } });
  const { env } = await said(home, 'app');
  assert.deepEqual(Object.keys(env).sort(), ['A', 'HOME', 'LC_ALL', 'PATH', 'TZ'].sort());
});

test('the program is looked up in the PATH that it gets, relative to where start is called', async (t) => {
  const { start, write, folder } = sandbox(t);
  write('bin/tool', '#!/bin/sh\nexec sleep 1000\n', 0o755);
  const pid = await start(['--env', `PATH=${folder}/bin:/bin:/usr/bin`, '--', 'tool']);
  await until('it sleeps', () => nullSeparated(`/proc/${pid}/cmdline`)[0] === 'sleep');
  mkdirSync(join(folder, 'elsewhere'));
  const other = await start(['--name', 'other', '--cwd', 'elsewhere', '--', 'bin/tool']);
  assert.equal(readlinkSync(`/proc/${other}/cwd`), join(folder, 'elsewhere'));
});

test('umask, nice and limits are those of the program', async (t) => {
  const { start } = sandbox(t);
  const options = ['--umask', '027', '--nice', '7', '--rlimit', 'nofile=64:128', '--rlimit', 'core=0'];
  const pid = await start([...options, '--', 'sleep', '1000']);
  assert.equal(procStatus(pid, 'Umask'), '0027');
  assert.equal(stat(pid, 19), '7');
  assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max open files +64 +128 /m);
});

test('--user is a user with its groups, by name or number', needsRoot, async (t) => {
  const { start } = sandbox(t);
  const pid = await start(['--user', 'nobody', '--cwd', '/', '--', 'sleep', '1000']);
  assert.deepEqual(procStatus(pid, 'Uid')?.split('\t')[0], '65534');
  assert.deepEqual(procStatus(pid, 'Groups'), '65534');
  const other = await start([
    '--name',
    'b',
    '--user',
    '1234',
    '--group',
    '1235',
    '--groups',
    '1236,1237',
    '--',
    'sleep',
    '9',
  ]);
  assert.equal(procStatus(other, 'Gid')?.split('\t')[0], '1235');
  assert.equal(procStatus(other, 'Groups'), '1236 1237');
});

test('its output goes to a log that only its user can read', async (t) => {
  const { start, home } = sandbox(t);
  await start(['--', 'sh', '-c', 'echo out; echo err >&2; exec sleep 1000']);
  const log = join(home, 'sh.log');
  assert.equal(await until('both lines', () => /(.*\n){2}/.exec(readFileSync(log, 'utf8'))?.[0]), 'out\nerr\n');
});

test('--stdout and --stderr part them; --timestamps says when', async (t) => {
  const { start, folder } = sandbox(t);
  const script = 'echo out; echo err >&2; exec sleep 1000';
  await start(['--stdout', 'out.log', '--stderr', 'err.log', '--timestamps', '--', 'sh', '-c', script]);
  const line = (file: string) => until(file, () => /.*\n/.exec(readFileSync(join(folder, file), 'utf8'))?.[0]);
  assert.match(await line('out.log'), /^\d{4}-\d\d-\d\dT.* out\n$/);
  assert.match(await line('err.log'), /^\d{4}-\d\d-\d\dT.* err\n$/);
});

test('--max-bytes and --backups limit what logs take', async (t) => {
  const { start, home, write } = sandbox(t);
  write('chatty.js', "for (let i = 0; i < 1000; i++) console.log('x'.repeat(99)); setInterval(() => {}, 1000);");
  await start(['--max-bytes', '10K', '--backups', '2', 'chatty.js']);
  const logs = () =>
    readdirSync(home)
      .filter((name) => name.startsWith('chatty.log'))
      .sort();
  await until('rotation', () => logs().length === 3);
  assert.deepEqual(logs(), ['chatty.log', 'chatty.log.1', 'chatty.log.2']);
});

test('a second start of a running daemon says its pid and since when', async (t) => {
  const { start, run, json } = sandbox(t);
  const pid = await start(['--', 'sleep', '1000']);
  const second = await run(['start', '--', 'sleep', '1000']);
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`sleep: already running since \\d{4}-.*, pid ${pid}\\n$`));
  const { error } = await json<{ error: Record<string, unknown> }>(['start', '--', 'sleep', '1000']);
  assert.deepEqual([error.code, error.pid], ['ERR_ALREADY_RUNNING', pid]);
});

test('of two starts at the same moment one wins, also if they name different pid files', async (t) => {
  const { run, folder, json } = sandbox(t);
  const start = (pidFile: string) => run(['start', '--pid-file', join(folder, pidFile), '--', 'sleep', '1000']);
  for (const files of [
    ['a', 'a'],
    ['b', 'c'],
  ] as const) {
    const outcomes = await Promise.all(files.map(start));
    assert.deepEqual(outcomes.map(({ code }) => code).sort(), [0, 1], outcomes.map(({ stderr }) => stderr).join());
    assert.match(outcomes.map(({ stderr }) => stderr).join(''), /already running|just being started/);
    await json(['stop', 'sleep']);
  }
});

test('--up-ms: a program that ends earlier was not started; its code and last lines are told, and nothing is left', async (t) => {
  const { run, home } = sandbox(t);
  const args = ['--name', 'bad', '--up-ms', '5000', '--', 'sh', '-c', 'echo sorry >&2; exit 7'];
  const { code, stdout, stderr } = await run(['start', ...args]);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /bad: the program exited with code 7 within 5 s\nlast lines of .*bad.log:\n {2}sorry\n/);
  assert.deepEqual(readdirSync(home), ['bad.log']);
  const { error } = JSON.parse((await run(['start', '--json', ...args])).stdout);
  assert.deepEqual([error.code, error.exitCode, error.lines], ['ERR_PROGRAM_ENDED', 7, ['sorry']]);
});

test('--up-ms: a program that was killed is told by its signal', async (t) => {
  const { run } = sandbox(t);
  const { stderr } = await run(['start', '--up-ms', '5000', '--', 'sh', '-c', 'kill -9 $$']);
  assert.match(stderr, /sh: the program was killed by SIGKILL within 5 s/);
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`start that gets ${signal} while it waits takes the program along, and leaves nothing that stands in the way`, async (t) => {
    const { begin, home, start } = sandbox(t);
    const starting = begin([
      'start',
      '--name',
      'slow',
      '--up-ms',
      '60000',
      '--',
      'sh',
      '-c',
      'echo $$; exec sleep 1000',
    ]);
    const log = join(home, 'slow.log');
    const pid = Number(await until('it runs', () => existsSync(log) && /\d+\n/.exec(readFileSync(log, 'utf8'))?.[0]));
    const keeper = Number(procStatus(pid, 'PPid'));
    process.kill(starting.pid, signal);
    assert.equal((await starting.outcome).signal, signal);
    await until('program and keeper end', () => hasEnded(pid) && hasEnded(keeper));
    // Nobody can clear up after a SIGKILL; what is written in advance counts for nothing.
    const left = signal === 'SIGKILL' ? ['slow.json.new', 'slow.log'] : ['slow.log'];
    assert.deepEqual(readdirSync(home).sort(), left);
    await start(['--name', 'slow', '--', 'sleep', '1000']);
  });
}

const failures: Record<string, { args: string[]; code: string; path?: RegExp }> = {
  'a program that is not there': { args: ['--', 'nonesuch'], code: 'ENOENT' },
  'a path that is not there': { args: ['--', './nonesuch'], code: 'ENOENT', path: /nonesuch/ },
  'a script that is not there': { args: ['nonesuch.js'], code: 'ENOENT', path: /nonesuch.js/ },
  'a file that is no program': { args: ['--', './data'], code: 'EACCES', path: /data/ },
  'a working directory that is not there': {
    args: ['--cwd', 'nowhere', '--', 'sleep', '9'],
    code: 'ENOENT',
    path: /nowhere/,
  },
  'a working directory that is none': { args: ['--cwd', 'data', '--', 'sleep', '9'], code: 'ENOTDIR', path: /data/ },
  'a log in no folder': { args: ['--log', 'nowhere/log', '--', 'sleep', '9'], code: 'ENOENT', path: /nowhere/ },
  'a log that is a folder': { args: ['--log', '.', '--', 'sleep', '9'], code: 'EISDIR' },
  'a pid file in no folder': {
    args: ['--pid-file', 'nowhere/pid', '--', 'sleep', '9'],
    code: 'ENOENT',
    path: /nowhere/,
  },
  'a path of 4 KiB': { args: ['--cwd', `/${'x/'.repeat(2100)}`, '--', 'sleep', '9'], code: 'ENAMETOOLONG' },
  'an interpreter that is not there': { args: ['--', './script'], code: 'ENOENT', path: /script/ },
};

for (const [what, { args, code, path = /(?:)/ }] of Object.entries(failures)) {
  test(`${what} is ${code}, exit code 1, and leaves nothing`, async (t) => {
    const { write, run, home } = sandbox(t);
    write('data', 'data');
    write('script', '#!/nonesuch\n', 0o755);
    const { stdout, code: exitCode } = await run(['start', '--json', ...args]);
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, code, error.message);
    assert.match(error.path ?? '', path);
    assert.equal(exitCode, 1);
    const left = existsSync(home) ? readdirSync(home).filter((name) => !name.endsWith('.log')) : [];
    assert.deepEqual(left, []);
  });
}

test('a file that others may run, but not this user, is EACCES from the program’s own start', needsRoot, async (t) => {
  const { write, run } = sandbox(t);
  write('own', '#!/bin/sh\n', 0o700);
  const { stdout } = await run(['start', '--json', '--user', 'nobody', '--', './own']);
  assert.equal(JSON.parse(stdout).error.code, 'EACCES');
});

test('a working directory that has been deleted is a coded error, unless another is given', async (t) => {
  const { run, ok, folder } = sandbox(t);
  const gone = join(folder, 'gone');
  const via = afterShell(`mkdir ${gone} && cd ${gone} && rmdir ${gone}`);
  const { error } = JSON.parse((await run(['start', '--json', '--', 'sleep', '9'], { via })).stdout);
  assert.equal(error.code, 'ENOENT');
  assert.match(error.message, /working directory has been deleted/);
  await ok(['start', '--cwd', '/', '--', 'sleep', '1000'], { via });
});

function programOf(home: string, name: string): number {
  return Number(/^pid (\d+)$/m.exec(readFileSync(join(home, `${name}.status`), 'utf8'))?.[1]);
}

test('start works without standard descriptors', async (t) => {
  const { run, home } = sandbox(t);
  const { code } = await run(['start', '--', 'sleep', '1000'], { via: afterShell('exec 0<&- 1>&- 2>&-') });
  assert.equal(code, 0);
  assert.equal(readlinkSync(`/proc/${programOf(home, 'sleep')}/fd/0`), '/dev/null');
});

test('the starter’s descriptors are not passed on', async (t) => {
  const { ok, home } = sandbox(t);
  await ok(['start', '--', 'sleep', '1000'], { via: afterShell('exec 9</dev/zero') });
  assert.deepEqual(readdirSync(`/proc/${programOf(home, 'sleep')}/fd`).sort(), ['0', '1', '2']);
});

test('what is at NAME.log is never written through a link', async (t) => {
  const { run, folder, home, write } = sandbox(t);
  const target = write('target', '');
  mkdirSync(home, { mode: 0o700 });
  symlinkSync(target, join(home, 'sleep.log'));
  assert.equal(JSON.parse((await run(['start', '--json', '--', 'sleep', '9'])).stdout).error.code, 'ELOOP');
  rmSync(join(folder, 'home/sleep.log'));
});

test('an ordinary user needs no rights', needsRoot, async (t) => {
  const { start, folder, json } = sandbox(t);
  chownSync(folder, 65534, 65534);
  const pid = await start(['--cwd', '/', '--', 'sleep', '1000'], { ...asNobody, cwd: '/' });
  assert.equal(procStatus(pid, 'Uid')?.split('\t')[0], '65534');
  await json(['stop', 'sleep'], { ...asNobody, cwd: '/' });
  await until('it ends', () => hasEnded(pid));
});
