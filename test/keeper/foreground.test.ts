import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { keeperPath } from '#dist/daemon/keeper.js';
import { keep, keepShell } from '../helpers/keeper.js';

const inForeground = { foreground: true, logged: false };

test('in the foreground the output is inherited and the exit code is the program’s', async (t) => {
  const kept = keepShell(t, 'echo out; echo err >&2; exit 7', inForeground);
  assert.match(await kept.report(), /^ready /);
  assert.deepEqual(await kept.ended, { code: 7, signal: null, stdout: 'out\n', stderr: 'err\n' });
});

test('in the foreground the keeper dies of the program’s signal', async (t) => {
  const kept = keepShell(t, 'kill -ABRT $$', inForeground);
  assert.equal((await kept.ended).signal, 'SIGABRT');
});

test('in the foreground both can be stopped', async (t) => {
  const kept = keep(t, ['/bin/sleep', 'sleep', '1000'], inForeground);
  await kept.program();
  kept.keeper.kill('SIGINT');
  assert.equal((await kept.ended).signal, 'SIGTERM');
  assert.equal(kept.status().asked, '1');
});

const failures: [what: string, program: string[], flags: string[], code: number, message: RegExp][] = [
  ['no program', ['/nowhere/x', 'x'], [], 127, /execve \/nowhere\/x: No such file or directory/],
  ['a program that may not be run', ['/etc/passwd', 'x'], [], 126, /execve \/etc\/passwd: Permission denied/],
  ['no directory', ['/bin/true', 'true'], ['--chdir', '/nowhere'], 125, /chdir \/nowhere: No such file/],
];
for (const [what, program, flags, code, message] of failures) {
  test(`without a report ${what} is said on standard error and ends with ${code}`, () => {
    const args = ['run', '--foreground', ...flags, '--', ...program];
    const { status, stderr } = spawnSync(keeperPath(), args, { encoding: 'utf8' });
    assert.equal(status, code);
    assert.match(stderr, message);
  });
}

// A terminal of its own: in it the keeper, started by a shell as a foreground job would be, and then a Ctrl-C.
const TERMINAL = `
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
seen = b''
while b'up' not in seen: seen += os.read(terminal, 1024)
os.write(terminal, b'\\x03')
while True:
    try: more = os.read(terminal, 1024)
    except OSError: break
    if not more: break
    seen += more
sys.stdout.write(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

test('a Ctrl-C at the terminal reaches the program once', () => {
  // USR1 goes through the keeper, behind what it may make of the Ctrl-C.
  const script = `trap 'echo interrupted; kill -USR1 $PPID' INT; trap 'exit 5' USR1; echo up
    while :; do sleep 0.01; done`;
  const args = [keeperPath(), 'run', '--foreground', '--', '/bin/bash', 'bash', '-c', script];
  const { status, stdout } = spawnSync('python3', ['-c', TERMINAL, ...args], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(stdout.match(/interrupted/g)?.length, 1, stdout);
  assert.equal(status, 5);
});

const usage: [what: string, args: string[], message: RegExp][] = [
  ['no mode', [], /run or log is expected/],
  ['no program', ['run', '--foreground'], /run takes flags, --, the program's path/],
  ['a relative program', ['run', '--', 'sh', 'sh'], /has to be absolute/],
  ['an unknown flag', ['run', '--nope', '--', '/bin/sh', 'sh'], /unrecognized option '--nope'/],
  ['a number that is none', ['run', '--up-ms', '1s', '--', '/bin/sh', 'sh'], /--up-ms can't be '1s'/],
  ['a descriptor that is closed', ['run', '--report-fd', '77', '--', '/bin/sh', 'sh'], /not 77/],
  ['a lock without its file', ['run', '--lock-fd', '3', '--', '/bin/sh', 'sh'], /--pid-file and --lock-fd/],
  ['a pipe without its log', ['log', '--stdout-fd', '0'], /--stdout and --stdout-fd go together/],
];
for (const [what, args, message] of usage) {
  test(`${what} is refused with 2 and a reason`, () => {
    const { status, stderr } = spawnSync(keeperPath(), args, { encoding: 'utf8' });
    assert.match(stderr, message);
    assert.equal(status, 2);
  });
}
