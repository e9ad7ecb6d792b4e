// process.stdin, stdout, stderr and the console in a daemon, whatever they had been in the starter.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { suite, test } from 'node:test';
import { daemonFolder, type StartedDaemon, startDaemon } from '../helpers/daemon.js';
import { descriptorsOf, hasEnded } from '../helpers/exec.js';
import type { Scope } from '../helpers/fixture.js';
import { inTerminal } from '../helpers/terminal.js';

type SpawnOptions = NonNullable<Parameters<typeof startDaemon>[2]>;

function shell(script: string): SpawnOptions {
  return { execPath: '/bin/bash', execArgv: ['-c', script, 'bash', process.execPath] };
}

/** How the starter is run, by what its 0, 1 and 2 are; all it says ends up on standard output. */
const STARTERS: Record<string, (scope: Scope) => SpawnOptions> = {
  'a terminal': () => inTerminal(),
  sockets: () => shell('exec "$@" 2>&1'),
  pipes(scope) {
    const pipe = `${daemonFolder(scope)}/pipe`;
    return shell(`set -o pipefail; mkfifo ${pipe}; "$@" 2>&1 <>${pipe} | cat`);
  },
  files(scope) {
    const folder = daemonFolder(scope);
    return shell(`"$@" </dev/zero >${folder}/said 2>&1; code=$?; cat ${folder}/said; exit $code`);
  },
  'nothing, being closed': () => shell('exec "$@" <&- >&- 2>&-'),
};

/** Has the daemon write in every way there is. */
async function writeAll({ ask }: StartedDaemon): Promise<void> {
  await ask('write', 'stdout', 'stdout\n');
  await ask('write', 'stderr', 'stderr\n');
  await ask('writeKept', 'kept');
  await ask('log', 'console.log');
  await ask('error', 'console.error');
}

const WRITTEN = 'stdout\nstderr\nkept\nkept\nconsole.log\nconsole.error\n';

const BEFORE = { fork: 'before\nbefore\nconsole before\n', exec: 'before\nbefore\nconsole before\nbefore\n' };

// By exec they are made anew, and only what was inherited can differ.
const WORTH_TRYING = { fork: Object.keys(STARTERS), exec: ['a terminal', 'nothing, being closed'] };

function starter(scope: Scope, what: string): SpawnOptions {
  return (STARTERS[what] as (scope: Scope) => SpawnOptions)(scope);
}

suite('process.stdout, process.stderr and the console', { concurrency: availableParallelism() }, () => {
  for (const mode of ['fork', 'exec'] as const) {
    for (const [what, used] of [
      ...WORTH_TRYING[mode].map((one) => [one, true] as const),
      ['a terminal', false] as const,
    ]) {
      test(`by ${mode}, work in a daemon whose starter ${used ? 'wrote to' : 'had'} ${what}`, async (t) => {
        const options = (folder: string) => ({ mode, stdout: `${folder}/log`, stderr: `${folder}/log` });
        const daemon = await startDaemon(t, options, { ...starter(t, what), prepare: used ? ['outputs'] : [] });
        const { code, stdout, stderr } = daemon.starter;
        assert.deepEqual([code, stderr], [0, '']);
        const expected = used && !what.startsWith('nothing') ? BEFORE[mode] : '';
        assert.equal(stdout.replaceAll('\r\n', '\n'), expected);

        await writeAll(daemon);
        assert.equal(readFileSync(`${daemon.folder}/log`, 'utf8'), WRITTEN);
        assert.deepEqual(await daemon.ask('isTTY'), [false, false, false]);
        const open = Object.values(descriptorsOf(daemon.pid));
        assert.deepEqual(
          open.filter((path) => path.startsWith('/dev/p')),
          [],
        );
      });
    }
  }

  test(`SIGWINCH does nothing to a daemon whose starter wrote to a terminal`, async (t) => {
    const { ask, pid } = await startDaemon(t, { mode: 'fork' }, { ...inTerminal(), prepare: ['outputs'] });
    process.kill(pid, 'SIGWINCH');
    process.kill(pid, 'SIGWINCH');
    await ask('log', 'on');
    assert.equal(hasEnded(pid), false);
  });
});

suite('process.stdin', { concurrency: availableParallelism() }, () => {
  for (const mode of ['fork', 'exec'] as const) {
    for (const what of WORTH_TRYING[mode]) {
      test(`by ${mode}, reads the daemon's file when the starter had ${what}`, async (t) => {
        const input = `${daemonFolder(t)}/input`;
        writeFileSync(input, 'one\ntwo\n');
        const { ask } = await startDaemon(t, { mode, stdin: input }, starter(t, what));
        assert.equal(await ask('readAll'), 'one\ntwo\n');
      });
    }

    for (const what of WORTH_TRYING[mode].filter((one) => ['a terminal', 'sockets', 'pipes'].includes(one))) {
      test(`by ${mode}, goes on to a readline that had read ${what} before`, async (t) => {
        const input = `${daemonFolder(t)}/input`;
        writeFileSync(input, 'one\ntwo\n');
        const options = { ...starter(t, what), prepare: ['readline'] };
        const { ask } = await startDaemon(t, { mode, stdin: input }, options);
        let lines: string[] = [];
        for (const end = performance.now() + 5000; lines.length < 2 && performance.now() < end; ) {
          ({ lines } = await ask<{ lines: string[] }>('state'));
        }
        assert.deepEqual(lines, ['one', 'two']);
      });
    }

    test(`by ${mode}, ends at once where it is /dev/null`, async (t) => {
      const { ask } = await startDaemon(t, { mode }, inTerminal());
      assert.equal(await ask('readAll'), '');
    });
  }
});
