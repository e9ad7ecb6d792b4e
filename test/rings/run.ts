// Traffic on both sides of a fork, on Nodes with rings of io_uring, where /proc shows as little of these as on Linux 5.13.
//
//   npm run test:rings [-- --node PATH…] [--seconds N]
//
// --node may be given more than once; without it, those of scripts/fetch-nodes.mjs from 22 on.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { oldKernel } from '../helpers/compile.js';
import { runTraffic } from './runner.js';

const { values } = parseArgs({
  options: { node: { type: 'string', multiple: true }, seconds: { type: 'string', default: '120' } },
});
const script = fileURLToPath(new URL('../../../scripts/fetch-nodes.mjs', import.meta.url));
const nodes =
  values.node ??
  execFileSync(process.execPath, [script, '22', '24', '26'], { encoding: 'utf8' }).split('\n').filter(Boolean);
const folder = mkdtempSync(join(tmpdir(), 'rings-'));
try {
  const env = oldKernel(folder);
  for (const node of nodes) {
    const { ok, output } = await runTraffic({ node, seconds: Number(values.seconds), env });
    console.log(`${ok ? 'ok' : 'FAILED'} ${node}\n${output}`);
    if (!ok) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
