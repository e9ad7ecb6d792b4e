import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  decide,
  type Ending,
  NO_HISTORY,
  type RestartHistory,
  type RestartOptions,
  restartPolicy,
} from '#dist/watchdog/restart-policy.js';
import { exited, killed, missing, WHETHER_REPLACED } from '../helpers/restart-table.js';

/** What is done about ends one after another, each worker having run so long; the clock only moves by that and by the pauses. */
function play(options: RestartOptions, endings: readonly Ending[], { ranMs = 0, chance = 0 } = {}): unknown[] {
  const policy = restartPolicy(options);
  let history: RestartHistory = NO_HISTORY;
  let now = 1000;
  return endings.map((ending) => {
    const startedAt = now;
    now += ranMs;
    const decision = decide(policy, history, { ending, startedAt, now, chance });
    if (decision.action !== 'restart') return decision.action;
    ({ history } = decision);
    now += decision.delayMs;
    return decision.delayMs;
  });
}

const again = (count: number, ending: Ending = exited(1)) => Array.from({ length: count }, () => ending);

describe('whether a worker is replaced', () => {
  for (const [options, ending, expected] of WHETHER_REPLACED) {
    const what = 'spawnError' in ending ? 'ENOENT' : (ending.signal ?? `exit code ${ending.exitCode}`);
    test(`${what} with ${JSON.stringify(options)}: ${expected === 0 ? 'at once' : expected}`, () => {
      assert.deepEqual(play(options, [ending]), [expected]);
    });
  }
});

describe('the pauses', () => {
  test('the first replacement comes at once, the next ones after 100 ms and then twice as long each time', () => {
    assert.deepEqual(play({}, again(6)), [0, 100, 200, 400, 800, 1600]);
  });
  test('they grow up to maxMs', () => {
    const options = { backoff: { initialMs: 10, maxMs: 50, factor: 3 }, maxRestarts: { count: Infinity } };
    assert.deepEqual(play(options, again(6)), [0, 10, 30, 50, 50, 50]);
  });
  test('they do not overflow after thousands of ends', () => {
    const delays = play({ maxRestarts: { count: Infinity } }, again(5000)) as number[];
    assert.equal(Math.max(...delays), 30_000);
  });
  test('none stays none after thousands of ends', () => {
    const delays = play({ backoff: { initialMs: 0 }, maxRestarts: { count: Infinity } }, again(5000)) as number[];
    assert.deepEqual(new Set(delays), new Set([0]));
  });
  test('a worker that ran for resetAfterMs was healthy: the next one comes at once', () => {
    assert.deepEqual(play({ maxRestarts: { count: Infinity } }, again(5), { ranMs: 10_000 }), [0, 0, 0, 0, 0]);
  });
  test('one that ran a little shorter was not', () => {
    assert.deepEqual(play({}, again(3), { ranMs: 9_999 }), [0, 100, 200]);
  });
  test('chance takes up to a tenth off', () => {
    assert.deepEqual(play({}, again(3), { chance: 0.5 }), [0, 95, 190]);
  });
  test('what could not be started is not tried again at once', () => {
    assert.deepEqual(play({}, again(3, missing)), [100, 200, 400]);
  });
});

describe('giving up', () => {
  test('ten replacements within a minute are the most', () => {
    const delays = play({ backoff: { initialMs: 0, maxMs: 0 } }, again(11));
    assert.deepEqual(delays, [...Array(10).fill(0), 'giveUp']);
  });
  test('those of longer ago do not count', () => {
    const options = { backoff: { initialMs: 0, maxMs: 0 }, maxRestarts: { count: 2, windowMs: 1000 } };
    assert.deepEqual(play(options, again(8), { ranMs: 500 }), Array(8).fill(0));
    assert.deepEqual(play(options, again(3), { ranMs: 499 }), [0, 0, 'giveUp']);
  });
  test('without a limit nothing is remembered', () => {
    const policy = restartPolicy({ maxRestarts: { count: Infinity } });
    const decision = decide(policy, NO_HISTORY, { ending: killed, startedAt: 0, now: 0, chance: 0 });
    assert.deepEqual(decision, { action: 'restart', delayMs: 0, history: { failures: 1, restarts: [] } });
  });
  test('with a count of 0 the first end is the last', () => {
    assert.deepEqual(play({ maxRestarts: { count: 0 } }, again(1)), ['giveUp']);
  });
  test('the reason says how it ended and how often it was replaced', () => {
    const policy = restartPolicy({ maxRestarts: { count: 0 } });
    const event = { ending: killed, startedAt: 0, now: 0, chance: 0 };
    assert.deepEqual(decide(policy, NO_HISTORY, event), {
      action: 'giveUp',
      reason: 'killed by SIGKILL, after 0 restarts within 60000 ms',
    });
  });
});

describe('bad options are refused by name', () => {
  const rows: [unknown, string, RegExp][] = [
    [{ restart: 'sometimes' }, 'ERR_INVALID_ARG_VALUE', /options\.restart.*always, on-failure, never/],
    [{ successExitCodes: [256] }, 'ERR_OUT_OF_RANGE', /options\.successExitCodes\[0\]/],
    [{ successExitCodes: ['SIGNOPE'] }, 'ERR_UNKNOWN_SIGNAL', /SIGNOPE/],
    [{ successExitCodes: 0 }, 'ERR_INVALID_ARG_TYPE', /options\.successExitCodes/],
    [{ backoff: { factor: 0.5 } }, 'ERR_OUT_OF_RANGE', /options\.backoff\.factor/],
    [{ backoff: { initialMs: 10, maxMs: 5 } }, 'ERR_OUT_OF_RANGE', /options\.backoff\.maxMs.*>= 10/],
    [{ backoff: { jitter: 2 } }, 'ERR_OUT_OF_RANGE', /options\.backoff\.jitter/],
    [{ backoff: { intialMs: 10 } }, 'ERR_INVALID_ARG_VALUE', /intialMs/],
    [{ maxRestarts: { count: -1 } }, 'ERR_OUT_OF_RANGE', /options\.maxRestarts\.count/],
    [{ maxRestarts: { windowMs: 0 } }, 'ERR_OUT_OF_RANGE', /options\.maxRestarts\.windowMs/],
  ];
  for (const [options, code, message] of rows) {
    test(`${JSON.stringify(options)}: ${code}`, () => {
      assert.throws(() => restartPolicy(options as RestartOptions), { code, message });
    });
  }
});
