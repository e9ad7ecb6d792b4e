// What only root can have a daemon do, and what the kernel keeps for each thread.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { before, suite, test } from 'node:test';
import type { DaemonizeOptions } from 'posix-daemon';
import { launch, processesOf, type StartedDaemon, startDaemon } from '../helpers/daemon.js';
import { asNobody, isRoot, needsRoot, nullSeparated, stat } from '../helpers/exec.js';
import { procStatus, suiteScope } from '../helpers/fixture.js';
import type { Failure } from '../helpers/scenario.js';

const NICE = 19;

// `games` has its own group and, where the tests run, some group more or none.
const games = isRoot ? { uid: id('-u'), gid: id('-g'), groups: id('-G') } : { uid: '', gid: '', groups: '' };

function id(what: string, user = 'games'): string {
  return execFileSync('id', [what, user], { encoding: 'utf8' }).trim();
}

/** A field of /proc/PID/status that all threads of a process agree about. */
function ofAllThreads(pid: number, field: string): string {
  const values = readdirSync(`/proc/${pid}/task`).map((thread) =>
    (procStatus(Number(thread), field) ?? '').replace(/\s+/g, ' '),
  );
  const [value, ...others] = new Set(values);
  assert.deepEqual(others, [], `threads differ in ${field}`);
  return value as string;
}

const fourTimes = (value: string | number) => `${value} ${value} ${value} ${value}`;

for (const mode of ['fork', 'exec'] as const) {
  suite(`by ${mode}, a daemon of another user`, needsRoot, () => {
    const scope = suiteScope();
    let daemon: StartedDaemon;
    before(async () => {
      const options = (folder: string): DaemonizeOptions => ({
        mode,
        user: 'games',
        stdout: `${folder}/log`,
        pidFile: `${folder}/pid`,
        nice: 7,
        oomScoreAdj: 321,
        rlimits: { nofile: { soft: 333, hard: 444 }, core: 0 },
        title: 'a daemon of games',
      });
      daemon = await startDaemon(scope, options, { prepare: ['worker'] });
    });

    test('has its ids and groups in every thread', () => {
      assert.equal(ofAllThreads(daemon.pid, 'Uid'), fourTimes(games.uid));
      assert.equal(ofAllThreads(daemon.pid, 'Gid'), fourTimes(games.gid));
      assert.deepEqual(ofAllThreads(daemon.pid, 'Groups').split(' ').sort(), games.groups.split(' ').sort());
    });

    test('has no capabilities in any thread', () => {
      for (const set of ['CapEff', 'CapPrm']) assert.match(ofAllThreads(daemon.pid, set), /^0+$/);
    });

    test("can't become root again", async () => {
      assert.equal((await daemon.ask<Failure>('becomeRoot')).code, 'EPERM');
    });

    test('has the name, home and shell of the user in its environment', () => {
      const [home, shell] = execFileSync('getent', ['passwd', 'games'], { encoding: 'utf8' })
        .trim()
        .split(':')
        .slice(-2);
      const environment = nullSeparated(`/proc/${daemon.pid}/environ`);
      for (const variable of ['USER=games', 'LOGNAME=games', `HOME=${home}`, `SHELL=${shell}`]) {
        assert.ok(environment.includes(variable), variable);
      }
    });

    test('owns its log, with mode 0640', () => {
      const { uid, gid, mode: fileMode } = statSync(`${daemon.folder}/log`);
      assert.deepEqual([uid, gid, fileMode & 0o7777], [Number(games.uid), Number(games.gid), 0o640]);
    });

    test("leaves the pid file root's, who alone may say what is in it", () => {
      assert.equal(statSync(`${daemon.folder}/pid`).uid, 0);
      assert.equal(readFileSync(`${daemon.folder}/pid`, 'utf8'), `${daemon.pid}\n`);
    });

    test('has the nice value in every thread', () => {
      const values = readdirSync(`/proc/${daemon.pid}/task`).map((thread) => stat(Number(thread), NICE));
      assert.deepEqual([...new Set(values)], ['7']);
    });

    test('has the limits and the OOM score', () => {
      const limits = readFileSync(`/proc/${daemon.pid}/limits`, 'utf8');
      assert.match(limits, /^Max open files\s+333\s+444\s/m);
      assert.match(limits, /^Max core file size\s+0\s+0\s/m);
      assert.equal(readFileSync(`/proc/${daemon.pid}/oom_score_adj`, 'utf8'), '321\n');
    });

    test('has the title, and its environment beside it', () => {
      assert.deepEqual(nullSeparated(`/proc/${daemon.pid}/cmdline`), ['a daemon of games']);
      assert.deepEqual(processesOf(daemon.folder), [daemon.pid]);
    });

    test("leaves its pid file, but empty, when it ends: the folder is root's", async () => {
      await daemon.end();
      assert.equal(readFileSync(`${daemon.folder}/pid`, 'utf8'), '');
    });
  });

  test(`by ${mode}, user, group and groups may be numbers and names`, needsRoot, async (t) => {
    const { pid } = await startDaemon(t, { mode, user: 12345, group: 'daemon', groups: ['mail', 4711] });
    const [gid, mail] = ['daemon', 'mail'].map((name) => id('-g', name)) as [string, string];
    assert.equal(ofAllThreads(pid, 'Uid'), fourTimes(12345));
    assert.equal(ofAllThreads(pid, 'Gid'), fourTimes(gid));
    assert.equal(ofAllThreads(pid, 'Groups'), `${mail} 4711`);
  });

  test(`by ${mode}, a daemon has its root directory, and is in it`, needsRoot, async (t) => {
    const { ask, pid, folder } = await startDaemon(t, (own) => {
      mkdirSync(`${own}/inner`, { recursive: true });
      return { mode, chroot: own, cwd: '/inner', user: 'games', pidFile: `${own}/pid`, stdout: `${own}/log` };
    });
    assert.equal(readlinkSync(`/proc/${pid}/root`), folder);
    assert.equal(readlinkSync(`/proc/${pid}/cwd`), `${folder}/inner`);
    assert.equal(await ask('readFile', '/pid'), `${pid}\n`);
  });

  test(`by ${mode}, a user that an ordinary user may not become fails the start`, needsRoot, async (t) => {
    const { starter } = launch(t, { mode, user: 'games' }, asNobody);
    const { code, stderr } = await starter.outcome;
    assert.equal(code, 1);
    assert.match(stderr, /^daemon\.js: EPERM: operation not permitted, set\w+\n$/);
  });

  test(`by ${mode}, an ordinary user may name itself`, needsRoot, async (t) => {
    const { pid } = await startDaemon(t, { mode, user: 'nobody' }, asNobody);
    assert.equal(ofAllThreads(pid, 'Uid'), fourTimes(asNobody.uid));
  });
}
