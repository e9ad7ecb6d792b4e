// Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs the tests with it. A report from any
// process of any test fails the run, whatever that test thought of it.
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchNode } from './fetch-nodes.mjs';
import { bin, Failure, output, run } from './run.mjs';
import { buildEnv, root, stage } from './stage.mjs';

// AddressSanitizer and fork() don't go together: its allocator lies at 0x600000000000, where fork() takes a mapping for
// V8's heap, and the search for held mutexes reads all of the C heap, which is what AddressSanitizer is there to report.
// The command's tests kill programs by signals that it handles, and run as users who can't write its reports.
const LEFT_OUT_FILES = ['fork/', 'daemon/', 'watchdog/', 'cli/', 'examples.test.js'];
const LEFT_OUT_TITLES = [
  'forked',
  // The programs that these start have signal handlers of AddressSanitizer's.
  'every signal has its default effect and none is blocked',
  'the program starts with default signals, none blocked, and tied to the keeper',
  'no signal is ignored because Node ignored it',
  'resetSignals: false leaves ignored signals ignored',
];

// The runner of Node 20 can't leave a test out by its title.
const node = fetchNode('22');

const folder = stage('asan');
run(bin('node-gyp'), ['rebuild'], { cwd: folder, env: buildEnv({}, ['sanitize=1']) });

const tests = join('out', 'test');
const files = readdirSync(join(root, tests), { recursive: true })
  .filter((name) => name.endsWith('.test.js') && !LEFT_OUT_FILES.some((prefix) => name.startsWith(prefix)))
  .map((name) => join(tests, name))
  .sort();
process.stdout.write(`left out: ${[...LEFT_OUT_FILES, ...LEFT_OUT_TITLES].join('; ')}\n`);

const reports = mkdtempSync(join(tmpdir(), 'posix-daemon-asan-'));
// Debian's ps hangs with AddressSanitizer's runtime in it, so the tests find one that starts it without.
const ps = join(reports, 'ps');
writeFileSync(ps, `#!/bin/sh\nunset LD_PRELOAD\nexec ${output('which', ['ps']).trim()} "$@"\n`, { mode: 0o755 });
chmodSync(reports, 0o755);
const env = {
  ...process.env,
  // Node 22 reads the file in a thread, and warns if a test takes the descriptors away meanwhile.
  NODE_EXTRA_CA_CERTS: undefined,
  PATH: `${reports}:${process.env.PATH}`,
  POSIX_DAEMON_PREBUILD: folder,
  // Node is not built with it, so that the runtime has to be there first; nor does Node free all it has at its exit.
  LD_PRELOAD: output('g++', ['-print-file-name=libasan.so']).trim(),
  ASAN_OPTIONS: `detect_leaks=0:handle_sigill=1:handle_sigtrap=1:log_path=${join(reports, 'report')}`,
};
let failure;
try {
  const skipped = LEFT_OUT_TITLES.map((title) => `--test-skip-pattern=${title}`);
  const options = [...skipped, '--test-timeout=120000', '--test-reporter=spec'];
  run(node, ['--test', ...options, ...files], { env });
} catch (error) {
  failure = error;
}
const written = readdirSync(reports).filter((name) => name.startsWith('report'));
const texts = written.map((name) => readFileSync(join(reports, name), 'utf8'));
rmSync(reports, { recursive: true });
process.stdout.write(texts.join('\n'));
// Warnings of its own limits are no findings.
const errors = texts.filter((text) => text.includes('ERROR: AddressSanitizer'));
if (errors.length > 0) throw new Failure(`${errors.length} reports of the sanitizers`);
if (failure) throw failure;
process.stdout.write('no report of the sanitizers\n');
