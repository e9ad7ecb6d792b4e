// Each step of daemon(7)'s list for SysV daemons, as the kernel sees it, for a daemon whose starter was started badly.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { before, suite, test } from 'node:test';
import { daemonFolder, type StartedDaemon, startDaemon } from '../helpers/daemon.js';
import { descriptorsOf, hasEnded, nullSeparated, stat } from '../helpers/exec.js';
import { procStatus, type Scope, startProgram, suiteScope, until } from '../helpers/fixture.js';
import { kill, processesOfSession } from '../helpers/processes.js';

// proc(5)'s numbers of fields of /proc/PID/stat.
const PARENT = 4;
const GROUP = 5;
const SESSION = 6;
const TTY = 7;

const CLEARED = ['TERM', 'SSH_TTY', 'SSH_CONNECTION', 'TMUX', 'OLDPWD', 'PWD', 'SHLVL', '_', 'COLUMNS'];

// Ignored and blocked signals, and descriptors open that the program knows nothing of, one of them with a lock.
const BAD_START = `
trap '' INT USR1 CHLD
exec 9>>"$1"/nine 40>>"$1"/forty 200>>"$1"/lock
flock 200
export TERM=xterm SSH_TTY=/dev/pts/77 SSH_CONNECTION='::1 1 ::1 22' TMUX=x COLUMNS=80 OLDPWD=/usr
shift
exec nohup env --block-signal=USR2,TERM,ALRM "$@"`;

interface Signals {
  ignored: string | undefined;
  /** The masks of all threads, each once. */
  blocked: string[];
}

function signalsOf(pid: number): Signals {
  const masks = readdirSync(`/proc/${pid}/task`).map((thread) => procStatus(Number(thread), 'SigBlk') ?? '');
  return { ignored: procStatus(pid, 'SigIgn'), blocked: [...new Set(masks)].sort() };
}

/** A Node that nobody has done anything to. */
async function freshNode(t: Scope): Promise<Signals> {
  const { line, pid } = startProgram(t, process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)']);
  await line();
  return signalsOf(pid);
}

function environmentOf(pid: number): Record<string, string> {
  return Object.fromEntries(nullSeparated(`/proc/${pid}/environ`).map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

for (const mode of ['fork', 'exec'] as const) {
  suite(`a daemon made by ${mode}`, () => {
    const scope = suiteScope();
    let files: string;
    let daemon: StartedDaemon;
    let pid: number;
    before(async () => {
      files = daemonFolder(scope);
      const options = (folder: string) => ({ mode, pidFile: `${folder}/pid`, umask: 0o027, stderr: `${folder}/log` });
      daemon = await startDaemon(scope, options, {
        prepare: ['blockSignals'],
        execPath: '/bin/bash',
        // With a socket as its input, and no shell above, bash takes itself for one of rsh's and reads ~/.bashrc.
        execArgv: ['--norc', '-c', BAD_START, 'bash', files, process.execPath, '--no-warnings'],
      });
      pid = daemon.pid;
    });

    test('leaves a starter that prints nothing and exits with 0', () => {
      const { code, signal, stdout, stderr } = daemon.starter;
      assert.deepEqual(
        { code, signal, stdout, stderr: stderr.replace(/^nohup: .*\n/, '') },
        {
          code: 0,
          signal: null,
          stdout: '',
          stderr: '',
        },
      );
    });

    test('is in a session and a process group of its own', () => {
      assert.notEqual(stat(pid, SESSION), stat(process.pid, SESSION));
      assert.notEqual(stat(pid, GROUP), stat(process.pid, GROUP));
      assert.equal(stat(pid, GROUP), stat(pid, SESSION));
    });

    test('does not lead its session, and so never gets a terminal', () => {
      assert.notEqual(stat(pid, SESSION), `${pid}`);
      assert.equal(stat(pid, TTY), '0');
    });

    test('is a child of init', async () => {
      const orphan = Number(spawnSync('sh', ['-c', 'sleep 60 >/dev/null 2>&1 & echo $!'], { encoding: 'utf8' }).stdout);
      // Or of whoever collects orphans where the tests run.
      const init = stat(orphan, PARENT);
      kill(orphan);
      await until('it is', () => stat(pid, PARENT) === init);
    });

    test('leaves no process behind in its session, not even a zombie', async () => {
      assert.deepEqual(processesOfSession(Number(stat(pid, SESSION))), [pid]);
      assert.ok(hasEnded(daemon.starter.pid));
    });

    test('ignores and blocks the signals that a fresh Node does, in all its threads', async (t) => {
      assert.deepEqual(signalsOf(pid), await freshNode(t));
      assert.match(procStatus(pid, 'SigBlk') ?? '', /^0+$/);
    });

    test('has an environment without the terminal and the login, in /proc/PID/environ too', () => {
      const environment = environmentOf(pid);
      assert.equal(environment.PATH, process.env.PATH);
      assert.equal(environment.POSIX_DAEMON_TEST, daemon.folder);
      assert.deepEqual(
        CLEARED.filter((name) => name in environment),
        [],
      );
    });

    test('has no mark of how it was made in its environment and its arguments', async () => {
      const before = new Set([...Object.keys(process.env), 'POSIX_DAEMON_TEST']);
      assert.deepEqual(
        Object.keys(environmentOf(pid)).filter((name) => !before.has(name)),
        [],
      );
      const [node, ...rest] = nullSeparated(`/proc/${pid}/cmdline`);
      assert.deepEqual([node, ...rest.slice(0, 1)], [process.execPath, '--no-warnings']);
      assert.deepEqual(rest.slice(2, 3), [daemon.folder]);
      assert.equal(rest.length, 5);
    });

    test('has none of the files open that the starter was given', () => {
      assert.deepEqual(
        Object.values(descriptorsOf(pid)).filter((path) => path.startsWith(files)),
        [],
      );
    });

    test('keeps no lock that the starter was given', () => {
      assert.equal(spawnSync('flock', ['--nonblock', `${files}/lock`, 'true']).status, 0);
    });

    test('has /dev/null as standard input and output, and a log where one was wanted', () => {
      const open = descriptorsOf(pid);
      assert.deepEqual([open[0], open[1], open[2]], ['/dev/null', '/dev/null', `${daemon.folder}/log`]);
    });

    test('has the umask it was given', () => {
      assert.equal(procStatus(pid, 'Umask'), '0027');
    });

    test('is in the root directory', () => {
      assert.equal(readlinkSync(`/proc/${pid}/cwd`), '/');
    });

    test('has its pid in the pid file, whose mode the umask leaves alone', () => {
      assert.equal(readFileSync(`${daemon.folder}/pid`, 'utf8'), `${pid}\n`);
      assert.equal(statSync(`${daemon.folder}/pid`).mode & 0o7777, 0o644);
    });

    test('has no pipe to the starter any more', () => {
      const open = Object.values(descriptorsOf(pid));
      // Node's own pipes have both their ends here.
      const halves = open.filter(
        (file) => file.startsWith('pipe:') && open.filter((other) => other === file).length < 2,
      );
      assert.deepEqual(halves, []);
      assert.deepEqual(
        open.filter((file) => file.includes('memfd')),
        [],
      );
    });

    test('removes its pid file when it ends', async () => {
      await daemon.end();
      assert.equal(existsSync(`${daemon.folder}/pid`), false);
    });
  });
}
