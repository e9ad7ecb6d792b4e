// clang-format and clang-tidy over native/, with the compiler flags that the build itself uses. Any finding fails.
import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bin, Failure, output, run } from './run.mjs';
import { buildEnv, stage } from './stage.mjs';

const sources = output('git', ['ls-files', 'native']).split('\n').filter(Boolean);
run('clang-format', ['--dry-run', '-Werror', ...sources]);

output('clang-tidy', ['--version']);
const folder = stage('lint');
output(bin('node-gyp'), ['configure', '--', '-f', 'compile_commands_json'], { cwd: folder, env: buildEnv() });
const database = join(folder, 'build', 'Release');

const units = sources.filter((path) => path.endsWith('.cc'));
const findings = [];

/** Takes units off the list until none is left: as many of these run at once as there are processors. */
async function worker() {
  for (let unit = units.shift(); unit; unit = units.shift()) {
    // --quiet still counts the warnings of other people's headers on stderr; only our findings come on stdout.
    const args = ['--quiet', '-p', database, join(folder, unit)];
    const { stdout } = await promisify(execFile)('clang-tidy', args).catch((error) => {
      findings.push(error.stdout || error.message);
      return error;
    });
    process.stdout.write(stdout);
  }
}

const count = units.length;
await Promise.all(Array.from({ length: availableParallelism() }, worker));
if (findings.length > 0) throw new Failure(`clang-tidy: ${findings.length} of ${count} files with findings`);
process.stdout.write(`clang-format, clang-tidy: ${sources.length} files without a finding\n`);
