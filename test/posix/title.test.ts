import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setproctitle } from 'posix-daemon';
import { fixturePath, procStatus, startProgram } from '../helpers/fixture.js';
import type { Failure } from '../helpers/scenario.js';

interface Titled {
  pid: number;
  ask(name: string, argument?: string): Promise<unknown>;
}

/** Starts the fixture, possibly by way of another program: [file, ...arguments]. */
async function start(t: TestContext, { env = process.env, by = [] as string[] } = {}): Promise<Titled> {
  const [file, ...args] = [...by, process.execPath, fixturePath('title')];
  const running = startProgram(t, file as string, args, { env });
  const pid = Number(await running.line());
  return {
    pid,
    async ask(name, argument) {
      running.child.stdin?.write(`${JSON.stringify([name, argument])}\n`);
      return JSON.parse(await running.line());
    },
  };
}

const LONG = 'x'.repeat(2_000_000);

const cmdline = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8');
const environ = (pid: number) => readFileSync(`/proc/${pid}/environ`, 'latin1');

/** In a single read(2): between two of them the kernel looks again where the command line is. */
function readAtOnce(path: string): string {
  const fd = openSync(path, 'r');
  const buffer = Buffer.alloc(LONG.length + 4096);
  const length = readSync(fd, buffer);
  closeSync(fd);
  return buffer.toString('utf8', 0, length);
}

const ps = (pid: number, column: string) =>
  execFileSync('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  }).trimEnd();

test('ps shows the title as command line, and its first 15 bytes as name', async (t) => {
  const { pid, ask } = await start(t);
  await ask('set', 'mailer: 12 of 300 sent');
  assert.equal(ps(pid, 'args'), 'mailer: 12 of 300 sent');
  assert.equal(ps(pid, 'comm'), 'mailer: 12 of 3');
});

test('the name is not cut within a character', async (t) => {
  const { pid, ask } = await start(t);
  await ask('set', 'größe-größe-größe 日本語');
  assert.equal(cmdline(pid), 'größe-größe-größe 日本語\0');
  assert.equal(procStatus(pid, 'Name'), 'größe-größe');
  await ask('set', '日本語日本語');
  assert.equal(procStatus(pid, 'Name'), '日本語日本');
  await ask('set', 'fourteen bytesé');
  assert.equal(procStatus(pid, 'Name'), 'fourteen bytes');
});

for (const [what, env] of [
  ['an ordinary environment', { ...process.env }],
  ['an environment of 100,000 bytes', { ...process.env, HUGE: 'h'.repeat(100_000) }],
  ['an empty environment', {}],
] as const) {
  test(`a title of 200,000 bytes leaves ${what} intact`, async (t) => {
    const { pid, ask } = await start(t, { env });
    const before = environ(pid);
    const title = `master ${'x'.repeat(199_993)}`;
    await ask('set', title);
    assert.equal(cmdline(pid), `${title}\0`);
    assert.equal(environ(pid), before);
  });
}

test('an ordinary user needs no privilege', async (t) => {
  const by = process.getuid?.() === 0 ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
  const { pid, ask } = await start(t, { by });
  assert.ok(!procStatus(pid, 'Uid')?.startsWith('0'));
  await ask('set', 'nobody special');
  assert.equal(ps(pid, 'args'), 'nobody special');
});

test('who reads while the title changes sees the old one or the new one, whole', async (t) => {
  const { pid, ask } = await start(t);
  // Long enough for a read to be under way when the change comes.
  const titles = [`a${LONG}`, `b${LONG}`] as const;
  await ask('setLong', 'a');
  let reads = 0;
  for (let round = 1; round <= 60; round++) {
    // One change at a time: no read goes on while there are two.
    let done = false;
    const change = ask('setLong', round % 2 ? 'b' : 'a').then(() => {
      done = true;
    });
    while (!done) {
      const seen = readAtOnce(`/proc/${pid}/cmdline`);
      reads++;
      assert.ok(
        titles.some((title) => seen === `${title}\0`),
        `read ${reads} got ${seen.length} bytes`,
      );
      await new Promise(setImmediate);
    }
    await change;
  }
  assert.ok(reads >= 60, `${reads} reads`);
});

test('process.title is left alone before the first call', async (t) => {
  const { ask } = await start(t);
  assert.equal(await ask('isNodesOwn'), true);
});

test('getproctitle before the first call gives the arguments with spaces between', async (t) => {
  const { ask } = await start(t);
  const [title] = (await ask('get')) as string[];
  assert.equal(title, `${process.execPath} ${fixturePath('title')}`);
});

test('process.title reads the title, and an assignment to it shows in ps', async (t) => {
  const { pid, ask } = await start(t);
  await ask('set', 'first, and long enough for more than argv has room for');
  assert.deepEqual(await ask('get'), Array(2).fill('first, and long enough for more than argv has room for'));
  await ask('assign', 'second');
  assert.equal(ps(pid, 'args'), 'second');
  assert.deepEqual(await ask('get'), ['second', 'second']);
});

test('process.title goes on ending what is assigned at a null byte', async (t) => {
  const { pid, ask } = await start(t);
  await ask('set', 'first');
  await ask('assign', 'second\0hidden\nand more');
  assert.equal(cmdline(pid), 'second\0');
});

test('an empty title is allowed', async (t) => {
  const { pid, ask } = await start(t);
  await ask('set', '');
  assert.equal(cmdline(pid), '\0');
  assert.deepEqual(await ask('get'), ['', '']);
});

test('a lone surrogate is shown and read as U+FFFD', async (t) => {
  const { pid, ask } = await start(t);
  await ask('set', 'a\ud800b');
  assert.equal(cmdline(pid), 'a\ufffdb\0');
  assert.deepEqual(await ask('get'), ['a\ufffdb', 'a\ufffdb']);
});

test('a forked child keeps the title, and changes only its own', async (t) => {
  const { pid, ask } = await start(t);
  await ask('set', 'parent and child');
  const child = (await ask('fork')) as number;
  await ask('set', 'parent alone');
  assert.equal(ps(child, 'args'), 'parent and child');
  assert.equal(ps(child, 'comm'), 'parent and chil');
  assert.equal(ps(pid, 'args'), 'parent alone');
});

test('where the kernel refuses it, ENOTSUP says why and nothing is changed', async (t) => {
  // No data segment at all: the kernel lets memory be mapped nevertheless, but not the layout be set.
  const { pid, ask } = await start(t, { by: ['prlimit', '--data=0:unlimited'] });
  const seen = () => [cmdline(pid), procStatus(pid, 'Name')];
  const before = seen();
  const { code, syscall, message } = (await ask('refused', 'title')) as Failure;
  assert.deepEqual({ code, syscall }, { code: 'ENOTSUP', syscall: 'prctl' });
  assert.match(message, /EINVAL from PR_SET_MM_MAP.*RLIMIT_DATA/);
  assert.deepEqual(seen(), before);
  assert.equal(await ask('isNodesOwn'), true);
});

test('a Worker may read the title, but not set it', async (t) => {
  const { ask } = await start(t);
  await ask('set', 'main');
  assert.deepEqual(await ask('worker', 'worker'), ['ERR_WORKER_UNSUPPORTED_OPERATION', 'main']);
});

for (const [title, code] of [
  ['a\0b', 'ERR_INVALID_ARG_VALUE'],
  [7, 'ERR_INVALID_ARG_TYPE'],
  [undefined, 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`setproctitle refuses ${JSON.stringify(title)} with ${code}`, () => {
    assert.throws(() => setproctitle(title as string), { code });
  });
}
