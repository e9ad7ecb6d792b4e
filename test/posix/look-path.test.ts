import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryDirectory } from '../helpers/exec.js';
import { scenario } from '../helpers/scenario.js';

// A directory with bin/tool (a program), data/tool (no program) and folder/tool (a directory).
function tools(t: TestContext) {
  const root = temporaryDirectory(t);
  const [bin, data, folder] = [join(root, 'bin'), join(root, 'data'), join(root, 'folder')];
  mkdirSync(bin);
  mkdirSync(data);
  mkdirSync(join(folder, 'tool'), { recursive: true });
  writeFileSync(join(bin, 'tool'), '#!/bin/sh\n');
  writeFileSync(join(data, 'tool'), '');
  chmodSync(join(bin, 'tool'), 0o755);
  return { root, bin, data, folder };
}

function lookPath(t: TestContext, file: string, env: NodeJS.ProcessEnv, cwd = '/'): Promise<unknown> {
  return scenario(t, 'look-path', ['lookPath', file], { env, cwd });
}

test('the first program in PATH is found, past directories and files that may not be executed', async (t) => {
  const { bin, data, folder } = tools(t);
  assert.equal(await lookPath(t, 'tool', { PATH: `/nowhere:${data}:${folder}:${bin}:/bin` }), join(bin, 'tool'));
});

test('a name that is nowhere is ENOENT', async (t) => {
  assert.deepEqual(await lookPath(t, 'tool', { PATH: '/nowhere:/bin' }), ['ENOENT', 'lookPath', 'tool']);
});

test('a name of files that may not be executed is EACCES', async (t) => {
  const { data } = tools(t);
  assert.deepEqual(await lookPath(t, 'tool', { PATH: `${data}:/nowhere` }), ['EACCES', 'lookPath', 'tool']);
});

test('a program in a relative directory of PATH is refused, and named', async (t) => {
  const { root } = tools(t);
  assert.deepEqual(await lookPath(t, 'tool', { PATH: 'bin' }, root), ['ERR_RELATIVE_PATH', 'lookPath', 'bin/tool']);
});

test('an empty entry of PATH is the working directory, and refused as such', async (t) => {
  const { bin } = tools(t);
  assert.deepEqual(await lookPath(t, 'tool', { PATH: '/nowhere:' }, bin), ['ERR_RELATIVE_PATH', 'lookPath', './tool']);
});

test('a path is checked and comes back as it is', async (t) => {
  const { root } = tools(t);
  assert.equal(await lookPath(t, './bin/tool', { PATH: '' }, root), './bin/tool');
  assert.deepEqual(await lookPath(t, './data/tool', {}, root), ['EACCES', 'lookPath', './data/tool']);
  assert.deepEqual(await lookPath(t, './folder/tool', {}, root), ['EACCES', 'lookPath', './folder/tool']);
});

test("without PATH the system's directories are searched", async (t) => {
  assert.equal(await lookPath(t, 'sh', {}), '/bin/sh');
});

test('an empty name is ENOENT', async (t) => {
  assert.deepEqual(await lookPath(t, '', {}), ['ENOENT', 'lookPath', '']);
});
