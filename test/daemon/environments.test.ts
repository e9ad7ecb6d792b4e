// Places that daemons are started from, each of them the real one: a shell that is hung up, ssh, cron, another daemon.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { awaitDaemon, daemonArguments, daemonFolder, type TestDaemon } from '../helpers/daemon.js';
import { descriptorsOf, hasEnded, isRoot, nullSeparated, stat } from '../helpers/exec.js';
import { fixturePath, startProgram, until } from '../helpers/fixture.js';
import { namespaceRefused } from '../helpers/namespace.js';
import { terminalCommand } from '../helpers/terminal.js';

const TTY = 7;

/** The shell command that starts the fixture. */
function command(folder: string, mode: 'fork' | 'exec'): string {
  const words = [
    process.execPath,
    fixturePath('daemon'),
    ...daemonArguments(folder, { mode, pidFile: `${folder}/pid` }),
  ];
  return words.map((word) => `'${word}'`).join(' ');
}

async function assertGoesOn({ pid, ask }: TestDaemon): Promise<void> {
  assert.equal((await ask<{ pid: number }>('state')).pid, pid);
  assert.equal(stat(pid, TTY), '0');
  const open = descriptorsOf(pid);
  assert.deepEqual([open[0], open[1], open[2]], ['/dev/null', '/dev/null', '/dev/null']);
}

function missing(program: string): string | false {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0 ? false : `needs ${program}`;
}

const needsMount = isRoot ? (namespaceRefused() ?? false) : 'needs root';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Ssh {
  /** What ssh is called with to get there. */
  args: string[];
}

/** An sshd of its own, with keys of its own, that nobody else gets into. */
async function startSshd(t: TestContext): Promise<Ssh> {
  const folder = daemonFolder(t);
  const port = await freePort();
  for (const key of ['host', 'user'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', `${folder}/${key}`]);
  const settings = [
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${folder}/user.pub`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
  ];
  writeFileSync(`${folder}/config`, settings.join('\n'));
  // It wants its empty folder there, and goes without the machine's.
  const script = `mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f ${folder}/config`;
  const { child } = startProgram(t, 'unshare', ['--mount', 'sh', '-c', script]);
  let log = '';
  child.stderr?.on('data', (text) => {
    log += text;
  });
  await until('sshd listens', () => log.includes('Server listening'));
  const options = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'BatchMode=yes'];
  return {
    args: [
      '-F',
      'none',
      '-p',
      `${port}`,
      '-i',
      `${folder}/user`,
      ...options.flatMap((o) => ['-o', o]),
      'root@127.0.0.1',
    ],
  };
}

for (const mode of ['fork', 'exec'] as const) {
  suite(`a daemon made by ${mode}`, () => {
    test('started in an interactive shell goes on when the terminal hangs up', async (t) => {
      const folder = daemonFolder(t);
      const connected = awaitDaemon(t, folder);
      const shell = startProgram(t, ...terminalCommand(['bash', '--norc', '-i']));
      shell.child.stdin?.write(`${command(folder, mode)}; echo "code=$?"\n`);
      const daemon = await connected;
      for (let line = ''; !line.includes('code=0'); ) line = (await shell.line()).replace(/.*echo.*/, '');
      shell.child.stdin?.end();
      await shell.outcome;
      await assertGoesOn(daemon);
    });

    test('started in the background of an interactive shell goes on when the shell exits', async (t) => {
      const folder = daemonFolder(t);
      const connected = awaitDaemon(t, folder);
      const shell = startProgram(t, ...terminalCommand(['bash', '--norc', '-i']));
      shell.child.stdin?.write(`${command(folder, mode)} &\n`);
      const daemon = await connected;
      shell.child.stdin?.write('wait; exit\n');
      await shell.outcome;
      await assertGoesOn(daemon);
    });

    for (const [what, flags] of [
      ['without a terminal', []],
      ['with a terminal', ['-tt']],
    ] as const) {
      test(`started over ssh ${what} lets ssh return, and goes on`, {
        skip: needsMount || missing('sshd'),
      }, async (t) => {
        const { args } = await startSshd(t);
        const folder = daemonFolder(t);
        const connected = awaitDaemon(t, folder);
        // ssh returns when nobody is left who has its pipes or its terminal.
        const ssh = startProgram(t, 'ssh', [...flags, ...args, command(folder, mode)]);
        const daemon = await connected;
        const { code, stdout, stderr } = await ssh.outcome;
        assert.deepEqual([code, stdout, stderr], [0, '', '']);
        await assertGoesOn(daemon);
        const variables = nullSeparated(`/proc/${daemon.pid}/environ`).filter((one) => /^(SSH_|TERM=)/.test(one));
        assert.deepEqual(variables, []);
      });
    }

    test('started by cron works, and leaves cron nothing to send', {
      skip: needsMount || missing('cron'),
    }, async (t) => {
      const folder = daemonFolder(t);
      const connected = awaitDaemon(t, folder);
      writeFileSync(
        `${folder}/tab`,
        `@reboot ${command(folder, mode)} > ${folder}/said 2>&1; echo $? > ${folder}/code\n`,
      );
      // Folders of its own for its tables and for what tells it that the machine has been up for a while.
      const script = `
        for d in /run /var/spool/cron /etc/cron.d; do mount -t tmpfs none $d || exit; done
        mkdir -m 1730 /var/spool/cron/crontabs
        install -m 600 ${folder}/tab /var/spool/cron/crontabs/root
        exec cron -f`;
      startProgram(t, 'unshare', ['--mount', 'sh', '-c', script]);
      const daemon = await connected;
      await until(
        'the starter has ended',
        () => existsSync(`${folder}/code`) && readFileSync(`${folder}/code`, 'utf8') !== '',
      );
      assert.deepEqual([readFileSync(`${folder}/code`, 'utf8'), readFileSync(`${folder}/said`, 'utf8')], ['0\n', '']);
      await assertGoesOn(daemon);
    });

    test('started by another daemon goes on when that one ends', async (t) => {
      const folders = [daemonFolder(t), daemonFolder(t)] as const;
      const [first, second] = folders.map((folder) => awaitDaemon(t, folder)) as [
        Promise<TestDaemon>,
        Promise<TestDaemon>,
      ];
      startProgram(t, 'sh', ['-c', command(folders[0], mode)]);
      const outer = await first;
      assert.equal(await outer.ask('run', command(folders[1], mode)), 0);
      const inner = await second;
      await outer.end();
      assert.equal(hasEnded(inner.pid), false);
      await assertGoesOn(inner);
    });
  });
}
