import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sandbox } from '../helpers/command.js';
import { needsRoot, nullSeparated } from '../helpers/exec.js';
import { procStatus } from '../helpers/fixture.js';

const SLEEP = ['--', 'sleep', '1000'];

test('an option comes from the flag, then the environment, then the config file, then the default', async (t) => {
  const { start, ok, write } = sandbox(t);
  const umask = async (args: string[], env: NodeJS.ProcessEnv = {}) => {
    const mask = procStatus(
      await start([...args, ...SLEEP], { env, via: ['sh', '-c', 'umask 1; exec "$@"', 'sh'] }),
      'Umask',
    );
    await ok(['stop', 'sleep']);
    return mask;
  };
  assert.equal(await umask([]), '0001');
  write('posix-daemon.json', '{ "umask": "002" }');
  assert.equal(await umask([]), '0002');
  assert.equal(await umask([], { POSIX_DAEMON_UMASK: '003' }), '0003');
  assert.equal(await umask(['--umask', '004'], { POSIX_DAEMON_UMASK: '003' }), '0004');
});

test('of the variables that are set each source adds its own, and the nearest wins', async (t) => {
  const { start, write } = sandbox(t);
  write('posix-daemon.json', '{ "env": { "A": "file", "B": "file", "C": "file", "N": 1 } }');
  const pid = await start(['--clean-env', '--env', 'A=flag', ...SLEEP], { env: { POSIX_DAEMON_ENV: 'A=env\nB=env' } });
  const env = nullSeparated(`/proc/${pid}/environ`).filter((variable) => /^[A-Z]=/.test(variable));
  assert.deepEqual(env.sort(), ['A=flag', 'B=env', 'C=file', 'N=1']);
});

test('the config file is the key posix-daemon of package.json where there is no posix-daemon.json', async (t) => {
  const { start, write, ok } = sandbox(t);
  write('package.json', '{ "name": "x", "posix-daemon": { "name": "web", "command": ["sleep", "1000"] } }');
  assert.match(await ok(['start']), /^web: started/);
  assert.match(await ok(['status']), /^web: running/, 'it names the daemon that is meant');
  await ok(['stop']);
  write('posix-daemon.json', '{ "name": "other" }');
  const pid = await start([...SLEEP]);
  assert.match(await ok(['status', 'other']), new RegExp(`pid: +${pid}`));
});

test('a daemon may have a section of its own in the config file', async (t) => {
  const { start, write, folder } = sandbox(t);
  mkdirSync(join(folder, 'own'));
  const daemons = { api: { umask: '007', env: { B: '2' }, cwd: 'own' } };
  write('posix-daemon.json', JSON.stringify({ umask: '002', env: { A: '1' }, daemons }));
  const pid = await start(['--name', 'api', ...SLEEP]);
  assert.equal(procStatus(pid, 'Umask'), '0007');
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), join(folder, 'own'));
  const env = nullSeparated(`/proc/${pid}/environ`);
  assert.ok(env.includes('A=1') && env.includes('B=2'));
  const other = await start(SLEEP);
  assert.equal(procStatus(other, 'Umask'), '0002');
});

test('--config names another file; its paths are relative to it', async (t) => {
  const { start, write, folder } = sandbox(t);
  write('posix-daemon.json', '{ "umask": "007" }');
  write('etc/web.json', '{ "cwd": "data" }');
  mkdirSync(join(folder, 'etc/data'));
  const pid = await start(['--config', 'etc/web.json', ...SLEEP]);
  assert.equal(readlinkSync(`/proc/${pid}/cwd`), join(folder, 'etc/data'));
  assert.notEqual(procStatus(pid, 'Umask'), '0007');
});

test('a switch that the config file sets can be taken back', async (t) => {
  const { start, write } = sandbox(t);
  write('posix-daemon.json', '{ "cleanEnv": true }');
  const pid = await start(['--no-clean-env', ...SLEEP], { env: { KEPT: '1' } });
  assert.ok(nullSeparated(`/proc/${pid}/environ`).includes('KEPT=1'));
});

test('a config file that another user laid there is not used, and doesn’t hold anything up', needsRoot, async (t) => {
  const { run, folder, write } = sandbox(t);
  const path = write('posix-daemon.json', '{ "umask": "000", "nonsense": 1 }');
  chownSync(path, 65534, 65534);
  const { code, stderr } = await run(['start', ...SLEEP]);
  assert.equal(code, 0);
  assert.match(stderr, /posix-daemon.json is ignored, because it belongs to another user/);
  chownSync(path, 0, 0);
  chmodSync(path, 0o666);
  assert.match((await run(['list', '--json'], { cwd: folder })).stderr, /can be written by everybody/);
});

interface Bad {
  args: string[];
  code: string;
  says: RegExp;
  suggestion?: string;
  env?: NodeJS.ProcessEnv;
  config?: string;
}

const bad: Record<string, Bad> = {
  'an unknown command': { args: ['strat'], code: 'ERR_UNKNOWN_COMMAND', says: /'strat'/, suggestion: 'start' },
  'an unknown option': {
    args: ['start', '--usr', 'x', ...SLEEP],
    code: 'ERR_UNKNOWN_OPTION',
    says: /option of start '--usr'/,
    suggestion: '--user',
  },
  'an unknown short option': { args: ['logs', '-x'], code: 'ERR_UNKNOWN_OPTION', says: /'-x'/ },
  'another command’s option': { args: ['status', '--follow'], code: 'ERR_UNKNOWN_OPTION', says: /option of status/ },
  'an option before the command': { args: ['--name', 'x'], code: 'ERR_UNKNOWN_OPTION', says: /'--name'/ },
  'an option without its value': {
    args: ['start', '--name'],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /--name needs a value/,
  },
  'an option in place of a value': {
    args: ['start', '--name', '--umask', '0', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /write --name=--umask/,
  },
  'a value for a switch': {
    args: ['start', '--timestamps=x', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /takes no value/,
  },
  'no program': { args: ['start'], code: 'ERR_MISSING_OPERAND', says: /start needs a program/ },
  'no name': { args: ['stop'], code: 'ERR_MISSING_OPERAND', says: /stop needs the name of a daemon. There is none/ },
  'too many names': { args: ['logs', 'a', 'b'], code: 'ERR_UNEXPECTED_OPERAND', says: /no use for 'b'/ },
  'a name with a slash': {
    args: ['start', '--name', 'a/b', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /64 letters/,
  },
  'a name with a control character': { args: ['status', 'a\nb'], code: 'ERR_INVALID_ARG_VALUE', says: /"a\\nb"/ },
  'a name that hides': {
    args: ['start', '--name', '.a', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /first not '\.'/,
  },
  'a name that is too long': {
    args: ['start', '--name', 'x'.repeat(65), ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /1 to 64/,
  },
  'a program whose name can’t be one': {
    args: ['start', '--', '/bin/[', ']'],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /without --name/,
  },
  'a umask that isn’t octal': {
    args: ['start', '--umask', '8', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /octal/,
  },
  'an unknown user': {
    args: ['start', '--user', 'nonesuch', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /"--user"/,
  },
  'an unknown signal': {
    args: ['stop', '--signal', 'TREM', 'a'],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /--signal must be/,
  },
  'an unknown resource': {
    args: ['start', '--rlimit', 'nofiles=3', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /'nofiles'/,
    suggestion: 'nofile',
  },
  'a limit that is none': {
    args: ['start', '--rlimit', 'core=x', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /SOFT:HARD/,
  },
  'a size that is none': {
    args: ['start', '--max-bytes', 'big', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /10M/,
  },
  'a variable without a value': {
    args: ['start', '--env', 'A', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /KEY=VALUE/,
  },
  'a variable of ours': {
    args: ['start', '--env', 'POSIX_DAEMON_X=1', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /none of those reaches the program/,
  },
  'a relative program in another root': {
    args: ['start', '--chroot', '/', ...SLEEP],
    code: 'ERR_INVALID_ARG_VALUE',
    says: /absolute path, in the new root/,
  },
  'a bad value in the environment': {
    args: ['start', ...SLEEP],
    env: { POSIX_DAEMON_NICE: 'high' },
    code: 'ERR_INVALID_ARG_VALUE',
    says: /POSIX_DAEMON_NICE must be an integer from -20 to 19/,
  },
  'a config file that is no JSON': {
    args: ['start', ...SLEEP],
    config: '{',
    code: 'ERR_CONFIG_INVALID',
    says: /posix-daemon.json is no JSON/,
  },
  'an unknown key of the config file': {
    args: ['start', ...SLEEP],
    config: '{ "maxbytes": 1 }',
    code: 'ERR_UNKNOWN_KEY',
    says: /'maxbytes'/,
    suggestion: 'maxBytes',
  },
  'an unknown key of a section': {
    args: ['start', ...SLEEP],
    config: '{ "daemons": { "a": { "usr": "x" } } }',
    code: 'ERR_UNKNOWN_KEY',
    says: /'daemons.a.usr'/,
    suggestion: 'daemons.a.user',
  },
  'a value of the wrong kind in the config file': {
    args: ['start', ...SLEEP],
    config: '{ "timestamps": "yes" }',
    code: 'ERR_INVALID_ARG_VALUE',
    says: /timestamps in posix-daemon.json must be true or false/,
  },
  'an unknown shell': { args: ['completion', 'zhs'], code: 'ERR_UNKNOWN_SHELL', says: /'zhs'/, suggestion: 'zsh' },
};

for (const [what, { args, code, says, suggestion, env = {}, config }] of Object.entries(bad)) {
  test(`${what} is ${code}`, async (t) => {
    const { run, write } = sandbox(t);
    if (config !== undefined) write('posix-daemon.json', config);
    const text = await run(args, { env });
    assert.equal(text.stdout, '');
    assert.match(text.stderr, says);
    if (suggestion) assert.ok(text.stderr.includes(`Did you mean '${suggestion}'?`), text.stderr);
    const [command = '', ...rest] = args;
    const { error } = JSON.parse((await run([command, '--json', ...rest], { env })).stdout);
    assert.deepEqual([error.code, error.suggestion], [code, suggestion]);
    assert.equal(text.code, command === 'status' ? 4 : 2);
  });
}

test('the state folder is refused if it could be somebody else’s', needsRoot, async (t) => {
  const { run, folder } = sandbox(t);
  const refused = async (home: string, why: RegExp) => {
    const { stdout, code } = await run(['start', '--json', ...SLEEP], { env: { POSIX_DAEMON_HOME: home } });
    const { error } = JSON.parse(stdout);
    assert.deepEqual([error.code, code], ['ERR_STATE_FOLDER_UNSAFE', 1]);
    assert.match(error.message, why);
    assert.equal((await run(['status', 'x'], { env: { POSIX_DAEMON_HOME: home } })).code, 4);
  };
  const foreign = join(folder, 'foreign');
  mkdirSync(foreign, { mode: 0o700 });
  chownSync(foreign, 65534, 65534);
  await refused(foreign, /foreign is not used: it belongs to another user \(owner 65534, mode 0700\)/);
  const open = join(folder, 'open');
  mkdirSync(open);
  chmodSync(open, 0o770);
  await refused(open, /other users can write to it \(owner 0, mode 0770\)/);
  symlinkSync(open, join(folder, 'link'));
  await refused(join(folder, 'link'), /it is a symbolic link/);
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o777);
  mkdirSync(join(shared, 'home'), { mode: 0o700 });
  await refused(join(shared, 'home'), /everybody can replace it/);
});

test('the state folder is made for its user alone, whatever the umask', async (t) => {
  const { ok, folder } = sandbox(t);
  await ok(['start', ...SLEEP], { via: ['sh', '-c', 'umask 777; exec "$@"', 'sh'] });
  assert.equal(statSync(join(folder, 'home')).mode & 0o777, 0o700);
  assert.equal(statSync(join(folder, 'home/sleep.json')).mode & 0o777, 0o600);
});

test('an ordinary user’s state is found with and without XDG_RUNTIME_DIR', needsRoot, async (t) => {
  const { run, json, folder } = sandbox(t);
  const home = join(folder, 'user');
  mkdirSync(home);
  chownSync(home, 65533, 65533);
  const user = { uid: 65533, gid: 65533, cwd: '/' };
  const env = { POSIX_DAEMON_HOME: '', HOME: home };
  // Another user's, as su leaves it.
  const { code, stderr } = await run(['start', ...SLEEP], { ...user, env: { ...env, XDG_RUNTIME_DIR: '/run' } });
  assert.deepEqual([code, stderr], [0, '']);
  const { daemons } = await json<{ daemons: [{ state: string; pidFile: string; stdout: string }] }>(['stop', 'sleep'], {
    ...user,
    env,
  });
  assert.ok('signal' in daemons[0], 'it was running');
  assert.equal((await run(['list', '--names'], { ...user, env })).stdout, 'sleep\n');
});

test('without any folder for the state the error says what to set', needsRoot, async (t) => {
  const { run } = sandbox(t);
  const env = { POSIX_DAEMON_HOME: '', HOME: '/nonexistent' };
  const { stdout } = await run(['list', '--json'], { uid: 65533, gid: 65533, cwd: '/', env });
  const { error } = JSON.parse(stdout);
  assert.equal(error.code, 'ERR_NO_STATE_FOLDER');
  assert.match(error.message, /Set POSIX_DAEMON_HOME/);
});
