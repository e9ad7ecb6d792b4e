// Modules loaded after the fork: import(), require, JSON, data: URLs, and through hooks, which live in a thread of
// their own that the main one waits for.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createRequire, register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inBoth, scratchFolder } from '../support.js';

const require = createRequire(import.meta.url);
const folder = scratchFolder();
let round = 0;

async function exercise(): Promise<void> {
  round++;
  const name = (file: string) => join(folder, `${process.pid}-${round}-${file}`);
  const [esm, cjs, json] = [name('a.mjs'), name('b.cjs'), name('c.json')];
  writeFileSync(esm, 'export const answer = await Promise.resolve(42);');
  writeFileSync(cjs, 'exports.answer = 42;');
  writeFileSync(json, '{"answer": 42}');
  assert.equal((await import(pathToFileURL(esm).href)).answer, 42);
  assert.equal(require(cjs).answer, 42);
  assert.equal(require(json).answer, 42);
  assert.equal((await import(`data:text/javascript,export const answer = ${process.pid}`)).answer, process.pid);
}

await exercise();
await inBoth(exercise);

const hooks = `
  export async function resolve(specifier, context, next) {
    return specifier.startsWith('virtual:') ? { url: specifier, shortCircuit: true } : next(specifier, context);
  }
  export async function load(url, context, next) {
    if (!url.startsWith('virtual:')) return next(url, context);
    return { format: 'module', source: 'export const name = ' + JSON.stringify(url), shortCircuit: true };
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const virtual = async (name: string) => assert.equal((await import(`virtual:${name}`)).name, `virtual:${name}`);
await virtual('before');
await inBoth(async () => {
  await virtual(`after-${process.pid}`);
  assert.match(import.meta.resolve('virtual:resolved'), /^virtual:resolved$/);
  await exercise();
});
