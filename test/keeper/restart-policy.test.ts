// The keeper decides as restart-policy.ts does: the same table, and the pauses as its events tell them.
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, type TestContext, test } from 'node:test';
import type { Ending, RestartOptions } from '#dist/watchdog/restart-policy.js';
import { WHETHER_REPLACED } from '../helpers/restart-table.js';
import { superviseProgram } from '../helpers/supervised.js';

const FINISHED = '-1';
const GIVEN_UP = '-2';

function programOf(ending: Ending): string[] {
  if ('spawnError' in ending) return ['/nowhere/app', 'app'];
  return ['/bin/sh', 'sh', '-c', ending.signal ? 'kill -KILL $$' : `exit ${ending.exitCode}`];
}

function flagsOf({ restart = 'always', successExitCodes = [0] }: RestartOptions): string[] {
  const success = successExitCodes.map((one) =>
    typeof one === 'string' ? `s${constants.signals[one as 'SIGKILL']}` : one,
  );
  return ['--restart', restart, '--success', success.join(','), '--backoff', '100:30000:2:0:10000'];
}

/** What comes after each of the first ends. */
async function nexts(t: TestContext, program: string[], flags: string[], count: number): Promise<string[]> {
  const supervised = superviseProgram(t, program, ...flags);
  const kind = program[0] === '/nowhere/app' ? 'failed' : 'exit';
  const all: string[] = [];
  while (all.length < count) all.push((await supervised.event(kind))[kind === 'exit' ? 5 : 3] as string);
  return all;
}

describe('the table of restarts', () => {
  for (const [options, ending, expected] of WHETHER_REPLACED) {
    const what = 'spawnError' in ending ? 'ENOENT' : (ending.signal ?? `exit code ${ending.exitCode}`);
    test(`${what} with ${JSON.stringify(options)}: ${expected}`, async (t) => {
      const [next] = await nexts(t, programOf(ending), flagsOf(options), 1);
      assert.equal(next, expected === 'finish' ? FINISHED : `${expected}`);
    });
  }
});

describe('the pauses', () => {
  const fails = ['/bin/sh', 'sh', '-c', 'exit 1'];
  const rows: [string, string[], string[]][] = [
    ['none at first, then doubled', ['--backoff', '1:1000:2:0:10000'], ['0', '1', '2', '4', '8', '16']],
    ['no longer than the longest', ['--backoff', '1:5:3:0:10000', '--max-restarts', '-1:1'], ['0', '1', '3', '5', '5']],
    ['none after a healthy time', ['--backoff', '50:50:1:0:0', '--max-restarts', '-1:1'], ['0', '0', '0', '0']],
    ['given up after so many', ['--backoff', '0:0:1:0:10000', '--max-restarts', '3:60000'], ['0', '0', '0', GIVEN_UP]],
    ['none is allowed', ['--max-restarts', '0:60000'], [GIVEN_UP]],
  ];
  for (const [title, flags, expected] of rows) {
    test(title, async (t) => {
      assert.deepEqual(await nexts(t, fails, flags, expected.length), expected);
    });
  }
  test('chance takes up to the jitter off', async (t) => {
    const flags = ['--backoff', '40:40:1:0.5:10000', '--max-restarts', '-1:1'];
    const [, ...pauses] = await nexts(t, fails, flags, 6);
    assert.ok(pauses.every((pause) => Number(pause) >= 20 && Number(pause) <= 40));
    assert.ok(new Set(pauses).size > 1, `${pauses}`);
  });
});

describe('bad flags are refused', () => {
  const rows = [
    ['--restart', 'sometimes'],
    ['--success', '256'],
    ['--success', 's65'],
    ['--success', '1,'],
    ['--backoff', '1:2:0.5:0:1'],
    ['--backoff', '1:2:2:1.5:1'],
    ['--backoff', '1:2'],
    ['--max-restarts', '-2:1'],
    ['--max-restarts', '1'],
    ['--workers', '0'],
    ['--ready', 'port:localhost:80'],
    ['--ready', 'port:127.0.0.1:0'],
    ['--cgroup', 'relative'],
  ];
  for (const [flag, value] of rows) {
    test(`${flag} ${value}`, async (t) => {
      const supervised = superviseProgram(t, ['/bin/true', 'true'], flag as string, value as string);
      const { code, stderr } = await supervised.ended;
      assert.equal(code, 2);
      assert.match(stderr, new RegExp(`${flag} can't be '${value}'`));
    });
  }
});
