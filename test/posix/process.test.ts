import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { _exit, type ResourceUsage, type WaitStatus, waitpid } from 'posix-daemon';
import { runFixture } from '../helpers/fixture.js';
import { type Failure, scenario } from '../helpers/scenario.js';

const withoutUsage = ({ rusage: _, pid: __, ...rest }: WaitStatus) => rest;
const ENDED = { exitCode: null, signal: null, coreDumped: false, stopped: null };

test('waitpid returns the exit code and reaps, so that no child is left', async (t) => {
  const [status, failure] = await scenario<[WaitStatus, Failure]>(t, 'process', ['exitCode']);
  assert.deepEqual(withoutUsage(status), { ...ENDED, exitCode: 7 });
  assert.deepEqual(failure, {
    name: 'Error',
    code: 'ECHILD',
    errno: -constants.errno.ECHILD,
    syscall: 'wait4',
    message: 'ECHILD: no child processes, wait4',
  });
});

for (const [number, name] of [
  [9, 'SIGKILL'],
  [37, 'SIGRTMIN+3'],
] as const) {
  test(`waitpid names the signal ${number} that ended a child ${name}`, async (t) => {
    const status = await scenario<WaitStatus>(t, 'process', ['signal', String(number)]);
    assert.deepEqual(withoutUsage(status), { ...ENDED, signal: name });
  });
}

test('waitpid of 0 waits for any child of the process group, and tells which', async (t) => {
  const [pid, status] = await scenario<[number, WaitStatus]>(t, 'process', ['anyOfGroup']);
  assert.equal(status.pid, pid);
  assert.equal(status.exitCode, 3);
});

test('waitpid with noHang returns null while the child runs', async (t) => {
  const [running, ended] = await scenario<[null, WaitStatus]>(t, 'process', ['noHang']);
  assert.equal(running, null);
  assert.equal(ended.exitCode, 7);
});

test('waitpid with untraced reports a child that stopped, and then its end', async (t) => {
  const [stopped, ended] = await scenario<[WaitStatus, WaitStatus]>(t, 'process', ['untraced']);
  assert.deepEqual(withoutUsage(stopped), { ...ENDED, stopped: 'SIGSTOP' });
  assert.deepEqual(withoutUsage(ended), { ...ENDED, exitCode: 4 });
});

test('waitpid tells what the child has used, in ms and bytes', async (t) => {
  const usage = await scenario<ResourceUsage>(t, 'process', ['rusage']);
  const cpuMs = usage.userMs + usage.systemMs;
  assert.ok(cpuMs > 1 && cpuMs < 60_000, `${cpuMs} ms`);
  assert.ok(usage.maxRss > 100 * 1024 && usage.maxRss < 1024 ** 3, `${usage.maxRss} bytes`);
});

for (const [what, args, code] of [
  ['a pid that is text', ['1'], 'ERR_INVALID_ARG_TYPE'],
  ['a fraction', [1.5], 'ERR_OUT_OF_RANGE'],
  ['a pid beyond 32 bits', [2 ** 31], 'ERR_OUT_OF_RANGE'],
  ['null for options', [1, null], 'ERR_INVALID_ARG_TYPE'],
  ['noHang that is no boolean', [1, { noHang: 1 }], 'ERR_INVALID_ARG_TYPE'],
] as const) {
  test(`waitpid refuses ${what} with ${code}`, () => {
    assert.throws(() => (waitpid as (...args: unknown[]) => unknown)(...args), { code });
  });
}

test('_exit ends the process with its status, without exit event or finally', async (t) => {
  const { code, signal, stdout } = await runFixture(t, 'process', ['exitNow', '42']);
  assert.deepEqual({ code, signal, stdout }, { code: 42, signal: null, stdout: '' });
});

for (const status of [-1, 256, 1.5, Number.NaN]) {
  test(`_exit refuses ${status} with ERR_OUT_OF_RANGE`, () => {
    assert.throws(() => _exit(status), { code: 'ERR_OUT_OF_RANGE' });
  });
}
