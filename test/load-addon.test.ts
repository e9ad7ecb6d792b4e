import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
// Not part of the public face: the pure half of the loader, for machines that can't be had here.
import { describeFailure } from '#dist/load-addon.js';
import { runFixture } from './helpers/fixture.js';

interface LoadFailure {
  code: string;
  message: string;
  cause: string;
}

const builtAddon = join('build', 'Release', 'posix_daemon.node');
const prebuiltAddon = join('prebuilds', `linux-${process.arch}`, 'posix-daemon.glibc.node');

/** An empty folder in the package's place; gone when the test ends. */
function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-test-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function put(folder: string, path: string, content: string | Uint8Array): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

async function importFrom(t: TestContext, folder: string, execArgv: readonly string[] = []): Promise<string> {
  const env = { ...process.env, POSIX_DAEMON_PREBUILD: folder };
  const { stdout, stderr, code } = await runFixture(t, 'import-package', [], { env, execArgv });
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function failureFrom(...args: Parameters<typeof importFrom>): Promise<LoadFailure> {
  const failure = JSON.parse(await importFrom(...args)) as LoadFailure;
  assert.equal(failure.code, 'ERR_POSIX_DAEMON_ADDON');
  return failure;
}

test('without any addon the error names the target, every folder looked at and how to build one', async (t) => {
  const folder = emptyFolder(t);
  const { message, cause } = await failureFrom(t, folder);
  assert.match(message, new RegExp(`needed: linux-${process.arch}, glibc 2\\.\\d+, Node-API 9`));
  assert.ok(message.includes(`tried:  ${join(folder, 'build', 'Release')}: no such folder`), message);
  assert.ok(message.includes(`tried:  ${join(folder, dirname(prebuiltAddon))}: no such folder`), message);
  assert.match(message, /npx node-gyp rebuild\), which needs make, g\+\+ and python3/);
  assert.match(cause, /No native build was found/);
});

test('an addon for musl only is named, not loaded', async (t) => {
  const folder = emptyFolder(t);
  put(folder, prebuiltAddon.replace('glibc', 'musl'), '');
  const { message } = await failureFrom(t, folder);
  assert.match(message, /only posix-daemon\.musl\.node, for another C library or Node/);
});

test('a damaged addon fails with the words of the dynamic linker', async (t) => {
  const folder = emptyFolder(t);
  const file = put(folder, prebuiltAddon, 'not an ELF file, but longer than the header of one would be: 64 bytes');
  const { message, cause } = await failureFrom(t, folder);
  assert.ok(message.includes(`tried:  ${file}: ERR_DLOPEN_FAILED: `), message);
  assert.match(message, /invalid ELF header\n {2}reason: the file is damaged/);
  assert.match(cause, /invalid ELF header/);
});

test('an own build that does not load is reported, not passed over for the prebuilt addon', async (t) => {
  const folder = emptyFolder(t);
  const file = put(folder, builtAddon, 'broken');
  put(folder, prebuiltAddon, '');
  const { message } = await failureFrom(t, folder);
  assert.ok(message.includes(`tried:  ${file}: ERR_DLOPEN_FAILED`), message);
});

test('a Node that may not load addons says which flag is in the way', async (t) => {
  const { message } = await failureFrom(t, process.env.POSIX_DAEMON_PREBUILD ?? process.cwd(), ['--no-addons']);
  assert.match(message, /ERR_DLOPEN_DISABLED.*\n {2}reason: .*--no-addons/);
});

const host = { platform: 'linux', arch: 'x64', glibc: '2.36', node: '20.20.2', nodeApi: '9' };
const foreign = [
  {
    title: 'a C library older than the addon',
    target: { ...host, glibc: '2.17' },
    failure: "ERR_DLOPEN_FAILED: /lib/libc.so.6: version `GLIBC_2.28' not found (required by posix-daemon.node)",
    reason: 'the C or C++ library here is older than GLIBC 2.28',
    remedy: /build it from source/,
  },
  {
    title: 'musl',
    target: { ...host, glibc: undefined },
    failure: 'ERR_DLOPEN_FAILED: Error loading shared library ld-linux-x86-64.so.2: No such file or directory',
    reason: 'the prebuilt addon needs glibc; a live fork() is not there for musl',
    remedy: /use a glibc image/,
  },
  {
    title: 'a file system mounted noexec',
    target: host,
    failure: 'ERR_DLOPEN_FAILED: posix-daemon.node: failed to map segment from shared object',
    reason: 'the file lies on a file system mounted noexec',
    remedy: /install on one that is not/,
  },
  {
    title: 'an old Node',
    target: { ...host, node: '18.0.0', nodeApi: '8' },
    failure: 'requires Node-API version 9',
    reason: 'Node 18.0.0 is too old',
    remedy: /Node 20\.11/,
  },
  {
    title: 'another system',
    target: { ...host, platform: 'darwin', glibc: undefined },
    failure: 'no such folder',
    reason: 'posix-daemon runs on Linux only, not on darwin',
    remedy: /none/,
  },
];
for (const { title, target, failure, reason, remedy } of foreign) {
  test(`${title} is recognised`, () => {
    const message = describeFailure(target, [{ path: '/app/posix-daemon.node', failure }], '/app');
    assert.ok(message.includes(`reason: ${reason}\n`), message);
    assert.match(message, remedy);
  });
}

test('POSIX_DAEMON_PREBUILD takes the addon from another folder', async (t) => {
  const folder = emptyFolder(t);
  const { resolve } = createRequire(import.meta.url)('node-gyp-build') as { resolve(dir: string): string };
  mkdirSync(dirname(join(folder, builtAddon)), { recursive: true });
  copyFileSync(resolve(process.env.POSIX_DAEMON_PREBUILD ?? process.cwd()), join(folder, builtAddon));
  assert.equal(await importFrom(t, folder), 'loaded');
});
