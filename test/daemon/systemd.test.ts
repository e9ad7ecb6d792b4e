// Type=forking under a real systemd: its user instance, in namespaces and a control group of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { daemonFolder } from '../helpers/daemon.js';
import { isRoot } from '../helpers/exec.js';
import { startProgram } from '../helpers/fixture.js';
import { namespaceRefused } from '../helpers/namespace.js';

// Where version 2's hierarchy is, alone or beside version 1's.
const [HIERARCHY = ''] = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].filter((path) => {
  return spawnSync('test', ['-w', `${path}/cgroup.procs`]).status === 0;
});

function obstacle(): string | false {
  if (!isRoot) return 'needs root';
  if (spawnSync('sh', ['-c', 'test -x /lib/systemd/systemd && command -v systemctl']).status !== 0)
    return 'needs systemd';
  if (HIERARCHY === '') return 'needs cgroup v2';
  return namespaceRefused() ?? false;
}

/** A control group, removed with those below when the test is over. */
function controlGroup(t: TestContext, name: string): string {
  const path = `${HIERARCHY}/${name}`;
  mkdirSync(path);
  t.after(() => removeGroup(path));
  return path;
}

function removeGroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeGroup(`${path}/${entry.name}`);
  }
  rmdirSync(path);
}

/** Runs commands with `systemctl` beside a systemd that knows one service, and returns what they print. */
async function underSystemd(t: TestContext, service: string, commands: (folder: string) => string): Promise<string[]> {
  const folder = daemonFolder(t);
  const group = controlGroup(t, folder.replace(/.*\//, ''));
  mkdirSync(`${folder}/systemd/user`, { recursive: true });
  mkdirSync(`${folder}/run`);
  writeFileSync(`${folder}/systemd/user/served.service`, service.replaceAll('FOLDER', folder));
  const script = `
    export XDG_RUNTIME_DIR=${folder}/run XDG_CONFIG_HOME=${folder}
    mount -t tmpfs none /run && mkdir -p /run/systemd/system
    umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup || exit
    /lib/systemd/systemd --user >/dev/null 2>&1 &
    timeout 15 sh -c 'until [ -S "$XDG_RUNTIME_DIR"/systemd/private ]; do sleep 0.02; done' || exit
    show() { systemctl --user show served --value -p "$1"; }
    ${commands(folder)}
    systemctl --user exit
    wait`;
  const enter = `echo $$ > ${group}/cgroup.procs; exec "$@"`;
  const unshare = ['unshare', '--mount', '--pid', '--cgroup', '--fork', '--mount-proc', '--kill-child'];
  const { outcome } = startProgram(t, 'sh', ['-c', enter, 'sh', ...unshare, 'bash', '-c', script], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { stdout, stderr } = await outcome;
  assert.equal(stderr, '');
  return stdout.trim().split('\n');
}

for (const mode of ['fork', 'exec'] as const) {
  test(`systemd knows a daemon made by ${mode} by its pid file, starts it over a stale one, and stops it`, {
    skip: obstacle(),
  }, async (t) => {
    const program = `import('${import.meta.resolve('posix-daemon')}').then(({ daemonize }) => {
      daemonize({ mode: '${mode}', pidFile: process.argv[1] });
      process.on('SIGTERM', () => process.exit());
      setInterval(() => {}, 1000);
    })`.replace(/\s*\n\s*/g, ' ');
    const service = `[Service]\nType=forking\nPIDFile=FOLDER/pid\nExecStart=${process.execPath} -e "${program}" FOLDER/pid\n`;
    const said = await underSystemd(
      t,
      service,
      (folder) => `
        systemctl --user start served; echo $? $(show ActiveState)
        [ "$(show MainPID)" = "$(cat ${folder}/pid)" ] && echo same
        kill -9 "$(show MainPID)"
        while [ "$(show ActiveState)" = active ]; do sleep 0.02; done; show Result
        systemctl --user start served; echo $? $(show ActiveState)
        [ "$(show MainPID)" = "$(cat ${folder}/pid)" ] && echo same
        systemctl --user stop served; echo $? $(show ActiveState) $(show Result)
        [ -e ${folder}/pid ] || echo removed`,
    );
    assert.deepEqual(said, ['0 active', 'same', 'signal', '0 active', 'same', '0 inactive success', 'removed']);
  });
}
