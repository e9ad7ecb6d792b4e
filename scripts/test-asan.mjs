// Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs the tests with it. A report from any
// process of any test fails the run, whatever that test thought of it.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, Failure, output, run } from './run.mjs';
import { buildEnv, root, stage } from './stage.mjs';

/** Test files that can't be run so, as folders or files under test/, each with the reason. */
const LEFT_OUT = {
  // AddressSanitizer's allocator lies at 0x600000000000, where fork() takes a mapping for V8's heap; and the search for
  // held mutexes reads all of the C heap on purpose, which is what AddressSanitizer is there to report.
  fork: 'fork() reads all of the heap, and looks for it where AddressSanitizer does not let it be',
};

const folder = stage('asan');
run(bin('node-gyp'), ['rebuild'], { cwd: folder, env: buildEnv({}, ['sanitize=1']) });

const isLeftOut = (file) => Object.keys(LEFT_OUT).some((prefix) => file.startsWith(join('out', 'test', prefix)));
const files = readdirSync(join(root, 'out', 'test'), { recursive: true })
  .filter((name) => name.endsWith('.test.js'))
  .map((name) => join('out', 'test', name))
  .filter((file) => !isLeftOut(file))
  .sort();
for (const [prefix, reason] of Object.entries(LEFT_OUT)) process.stdout.write(`left out: ${prefix}: ${reason}\n`);

const reports = mkdtempSync(join(tmpdir(), 'posix-daemon-asan-'));
const env = {
  ...process.env,
  POSIX_DAEMON_PREBUILD: folder,
  // Node is not built with it, so that the runtime has to be there first; nor does Node free all it has at its exit.
  LD_PRELOAD: output('g++', ['-print-file-name=libasan.so']).trim(),
  ASAN_OPTIONS: `detect_leaks=0:handle_sigill=1:handle_sigtrap=1:log_path=${join(reports, 'report')}`,
};
let failure;
try {
  run(process.execPath, ['--test', '--test-reporter=spec', ...files], { env });
} catch (error) {
  failure = error;
}
const texts = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
rmSync(reports, { recursive: true });
process.stdout.write(texts.join('\n'));
// A mere warning: it says that it can't tell where a stack ends which it did not make, such as forkExec's child's.
const errors = texts.filter((text) => text.includes('ERROR: AddressSanitizer'));
if (errors.length > 0) throw new Failure(`${errors.length} reports of the sanitizers`);
if (failure) throw failure;
process.stdout.write('no report of the sanitizers\n');
