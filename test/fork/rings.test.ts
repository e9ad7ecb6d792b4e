import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsCompiler, oldKernel } from '../helpers/compile.js';
import { temporaryDirectory } from '../helpers/exec.js';
import { runTraffic } from '../rings/runner.js';

const script = fileURLToPath(new URL('../../../scripts/fetch-nodes.mjs', import.meta.url));

// A Node with rings: this one, or one that is in the cache.
function nodeWithRings(): string | undefined {
  if (Number.parseInt(process.versions.node, 10) >= 22) return process.execPath;
  const present = execFileSync(process.execPath, [script, '--present', '22', '24', '26'], { encoding: 'utf8' });
  return present.split('\n').find(Boolean);
}

async function getsThrough(t: TestContext, env: NodeJS.ProcessEnv) {
  const node = nodeWithRings();
  if (node === undefined) return t.skip('no Node with rings of io_uring');
  const { ok, output } = await runTraffic({ node, seconds: 3, env });
  assert.ok(ok, output);
}

test('parent and child have io_uring rings of their own, in each thread', (t) => getsThrough(t, process.env));

test('so they have where /proc shows nothing of a ring, as before Linux 5.16', needsCompiler, (t) =>
  getsThrough(t, oldKernel(temporaryDirectory(t))),
);
