// The command at the terminal of an interactive shell, as its job. In a pid namespace, for what goes to groups.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { COMMAND } from '../helpers/command.js';
import { temporaryDirectory } from '../helpers/exec.js';
import { startProgram } from '../helpers/fixture.js';
import { inPidNamespace, namespaceCommand, namespaceRefused } from '../helpers/namespace.js';
import { type OnTerminal, onTerminal } from '../helpers/pty.js';
import { terminalCommand } from '../helpers/terminal.js';

const inNamespace = { skip: namespaceRefused() ?? false };
const SHELL = ['bash', '--norc', '-i'];

type Step = readonly [expected: string, typed: string];

/** What the shells have: `$RUN` is `posix-daemon run`, and the folder is their own. */
function place(t: TestContext) {
  const folder = temporaryDirectory(t);
  const home = join(folder, 'home');
  const RUN = `${process.execPath} ${COMMAND} run --name job`;
  const env = { PATH: process.env.PATH, HOME: folder, TERM: 'dumb', PS1: '', POSIX_DAEMON_HOME: home, RUN };
  const lines = () => readFileSync(join(folder, 'log'), 'utf8').trimEnd().split('\n');
  return { folder, home, options: { cwd: folder, env }, lines };
}

/** Types into a shell what is to be typed when something is on the screen. `exit` comes after the last. */
async function type(t: TestContext, { options }: ReturnType<typeof place>, first: string, ...steps: Step[]) {
  const command = [...onTerminal([['', `${first}\r`], ...steps]), ...SHELL];
  const { stdout, stderr } = await inPidNamespace(t, command, options);
  assert.equal(stderr, '');
  return (JSON.parse(stdout) as OnTerminal).screen;
}

// The code is on the screen only when the shell has put it there, and not in what is typed.
const AND_THEN = '; echo ended with $?.';
const endedWith = (code: number): Step => [`ended with ${code}.`, 'exit\r'];

test(
  'two programs that read the terminal in the background stay two, and are restarted as often as they may',
  inNamespace,
  async (t) => {
    const at = place(t);
    const program = `sh -c 'echo $WORKER_INDEX >>log; read x </dev/tty || exit 3'`;
    const policy = '--restart on-failure --max-restarts 2 --backoff 1';
    await type(t, at, `$RUN --workers 2 ${policy} -- ${program} & wait $!${AND_THEN}`, endedWith(3));
    assert.deepEqual(at.lines().sort(), ['1', '1', '1', '2', '2', '2']);
  },
);

test('a program that nobody watches reads the terminal in the foreground', inNamespace, async (t) => {
  const at = place(t);
  const screen = await type(
    t,
    at,
    `$RUN -- sh -c 'echo ask; read x </dev/tty; echo $x >log; exit 4'${AND_THEN}`,
    ['\nask', 'hello\r'],
    endedWith(4),
  );
  assert.deepEqual(at.lines(), ['hello'], screen);
});

test(
  'one that nobody watches is stopped when it reads the terminal in the background, until fg',
  inNamespace,
  async (t) => {
    const at = place(t);
    const untilStopped = 'until jobs | grep -q Stopped; do sleep 0.02; done';
    const screen = await type(
      t,
      at,
      `$RUN -- sh -c 'read x </dev/tty; echo $x >log; exit 4' & ${untilStopped}; echo is' 'stopped; fg${AND_THEN}`,
      ['is stopped', 'hello\r'],
      endedWith(4),
    );
    assert.deepEqual(at.lines(), ['hello'], screen);
  },
);

// A child that the program waits for is in its group, as in a shell's job.
const FAMILY = (signal: string) =>
  `sh -c '
  trap "echo parent >>log; exit 5" ${signal};
  sh -c "trap \\"echo child >>log; exit 0\\" ${signal}; echo up; while :; do sleep 0.02; done"'`.replaceAll('\n', ' ');

for (const [key, typed, signal] of [
  ['Ctrl-C', '\x03', 'INT'],
  ['Ctrl-\\', '\x1c', 'QUIT'],
] as const) {
  test(`${key} reaches all of a watched program once, and starts nothing again`, inNamespace, async (t) => {
    const at = place(t);
    await type(t, at, `$RUN --restart always -- ${FAMILY(signal)}${AND_THEN}`, ['\nup', typed], endedWith(5));
    assert.deepEqual(at.lines(), ['child', 'parent']);
  });
}

test('Ctrl-Z stops watched programs and their job, fg continues them', inNamespace, async (t) => {
  const at = place(t);
  // It starts nothing any more: a shell whose child is stopped between vfork() and exec isn't in the state T itself.
  const program = `sh -c 'echo $$ >>log; trap "echo contin""ued" CONT; sleep 1000 & echo up; while :; do wait; done'`;
  const states = `$(for pid in $(cat log); do cut -d " " -f 3 /proc/$pid/stat; done | tr -d "\\n")`;
  await type(
    t,
    at,
    `$RUN --workers 2 --restart always -- ${program}${AND_THEN}`,
    ['\nup', ''],
    ['\nup', '\x1a'],
    ['Stopped', `until [ ${states} = TT ]; do sleep 0.02; done; echo both' 'stopped; fg${AND_THEN}\r`],
    ['both stopped', ''],
    ['continued', ''],
    ['continued', '\x03'],
    // A shell whose job has ended by SIGINT drops the rest of the line.
    ['^C', `${AND_THEN.slice(2)}\r`],
    endedWith(130),
  );
});

test('Ctrl-Z without a shell that could continue it stops nothing', inNamespace, async (t) => {
  const at = place(t);
  const program = `trap "echo on >>log" CONT; echo up; while :; do [ -e log ] && exit 6; sleep 0.02; done`;
  const run = (at.options.env.RUN as string).split(' ');
  const via = onTerminal([['up', '\x1a']]);
  const command = [...via, ...run, '--restart', 'never', '--workers', '1', '--', 'sh', '-c', program];
  const { stdout, stderr } = await inPidNamespace(t, command, at.options);
  assert.equal(stderr, '');
  assert.equal((JSON.parse(stdout) as OnTerminal).code, 6);
});

test(
  'when the terminal closes, watched programs get SIGHUP and the stop signal, and nothing is started again',
  inNamespace,
  async (t) => {
    const at = place(t);
    const [python, args] = terminalCommand(SHELL);
    // The shell is gone before its job is, and the namespace would end with it.
    const wait = '"$@"; for n in $(seq 500); do [ -e home/job.pid ] || exit 0; sleep 0.02; done; exit 1';
    const [file, more] = namespaceCommand(['sh', '-c', wait, 'sh', python, ...args]);
    const shell = startProgram(t, file, more, at.options);
    const program = `sh -c 'trap "echo hup >>log" HUP; trap "exit 0" TERM; echo u"p"; while :; do sleep 0.02; done'`;
    shell.child.stdin?.write(`$RUN --workers 2 --restart always -- ${program}\n`);
    for (let ups = 0; ups < 2; ) if ((await shell.line()).trim() === 'up') ups++;
    shell.child.stdin?.end();
    assert.equal((await shell.outcome).code, 0);
    assert.deepEqual(at.lines(), ['hup', 'hup']);
    assert.ok(!existsSync(join(at.home, 'job.pid')));
  },
);
