import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { type TestContext, test } from 'node:test';
import { getrlimit, type Limit, setrlimit } from 'posix-daemon';
import { type Failure, failureOf, scenario } from '../helpers/scenario.js';

const play = <T>(t: TestContext, name: string) => scenario<T>(t, 'limits', [name]);

// The kernel's own names for the resources, which /proc/PID/limits prints.
const TITLES = {
  as: 'Max address space',
  core: 'Max core file size',
  cpu: 'Max cpu time',
  data: 'Max data size',
  fsize: 'Max file size',
  locks: 'Max file locks',
  memlock: 'Max locked memory',
  msgqueue: 'Max msgqueue size',
  nice: 'Max nice priority',
  nofile: 'Max open files',
  nproc: 'Max processes',
  rss: 'Max resident set',
  rtprio: 'Max realtime priority',
  rttime: 'Max realtime timeout',
  sigpending: 'Max pending signals',
  stack: 'Max stack size',
} as const;

for (const [resource, title] of Object.entries(TITLES) as [keyof typeof TITLES, string][]) {
  test(`getrlimit('${resource}') is what the kernel calls ${title}`, () => {
    const line = readFileSync('/proc/self/limits', 'utf8')
      .split('\n')
      .find((l) => l.startsWith(title)) as string;
    const [soft, hard] = line
      .slice(title.length)
      .trim()
      .split(/\s+/)
      .map((n) => (n === 'unlimited' ? Infinity : Number(n)));
    assert.deepEqual(getrlimit(resource), { soft, hard });
  });
}

test('setrlimit sets both limits, beyond 32 bits too', async (t) => {
  const get = { soft: 4096, hard: 2 ** 40 };
  assert.deepEqual(await play(t, 'both'), { get, kernel: ['4096', '1099511627776'] });
});

test('setrlimit of a number sets both limits to it', async (t) => {
  assert.deepEqual(await play(t, 'number'), { get: { soft: 100, hard: 100 }, kernel: ['100', '100'] });
});

test('Infinity is no limit', async (t) => {
  if (getrlimit('core').hard !== Infinity) return t.skip('the core size is limited here, for good');
  assert.deepEqual(await play(t, 'infinity'), { infinite: true, kernel: 'unlimited' });
});

test('a limit on descriptors is enforced at once', async (t) => {
  assert.equal((await play<Failure>(t, 'enforced')).code, 'EMFILE');
});

test('a soft limit above the hard one fails with EINVAL', async (t) => {
  assert.deepEqual(await play(t, 'softAboveHard'), {
    name: 'Error',
    code: 'EINVAL',
    errno: -constants.errno.EINVAL,
    syscall: 'setrlimit',
    message: 'EINVAL: invalid argument, setrlimit',
  });
});

test('an ordinary user can not raise a hard limit: EPERM, and nothing changes', async (t) => {
  const { failure, intact } = await play<{ failure: Failure; intact: Limit }>(t, 'raiseHard');
  assert.equal(failure.code, 'EPERM');
  assert.deepEqual(intact, { soft: 1024, hard: 1024 });
});

for (const [title, call, code] of [
  ['an unknown resource', () => getrlimit('files' as never), 'ERR_INVALID_ARG_VALUE'],
  ['a resource by number', () => getrlimit(7 as never), 'ERR_INVALID_ARG_TYPE'],
  ['a name of Object.prototype', () => setrlimit('toString' as never, 1), 'ERR_INVALID_ARG_VALUE'],
  ['a negative limit', () => setrlimit('core', -1), 'ERR_OUT_OF_RANGE'],
  ['NaN', () => setrlimit('core', Number.NaN), 'ERR_OUT_OF_RANGE'],
  ['a fraction', () => setrlimit('core', { soft: 0.5, hard: 1 }), 'ERR_OUT_OF_RANGE'],
  ['a limit that no double holds exactly', () => setrlimit('core', 2 ** 53), 'ERR_OUT_OF_RANGE'],
  ['half a limit', () => setrlimit('core', { soft: 1 } as never), 'ERR_INVALID_ARG_TYPE'],
  ['null for a limit', () => setrlimit('core', null as never), 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`${title} is refused with ${code}`, () => {
    assert.equal(failureOf(call).code, code);
  });
}
