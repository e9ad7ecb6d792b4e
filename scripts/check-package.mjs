// Tests the package as its users get it: packs it, installs the tarball into an empty folder without install scripts and
// without a compiler, and uses it there. Needs `npm run build`, `npm run prebuildify` and `npm run prebuildify:arm64` first.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { ADDON, KEEPER, MACHINES } from './check-glibc.mjs';
import { fetchNode, MAJORS } from './fetch-nodes.mjs';
import { bin, Failure, output, run } from './run.mjs';
import { buildEnv, root } from './stage.mjs';

/** All that may be in the tarball. */
const ALLOWED = [
  /^package\.json$/,
  /^(README|CHANGELOG|LICENSE)(\.md)?$/,
  /^binding\.gyp$/,
  /^dist\/(?!cli\/).*\.(js|d\.ts)$/,
  /^dist\/posix-daemon\.cjs$/,
  /^docs\/.*\.md$/,
  /^native\/.*\.(cc|h)$/,
  /^prebuilds\/linux-(x64|arm64)\/(posix-daemon\.glibc\.node|posix-daemon-keeper)$/,
];

/** All that must be in it, beside a dist/ file for each file of src/ and what is in native/. */
const REQUIRED = [
  'LICENSE',
  'binding.gyp',
  'dist/posix-daemon.cjs',
  'package.json',
  ...Object.keys(MACHINES).flatMap((arch) => [ADDON, KEEPER].map((name) => `prebuilds/linux-${arch}/${name}`)),
];

const work = mkdtempSync(join(tmpdir(), 'posix-daemon-package-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const app = join(work, 'app');
const installed = join(app, 'node_modules', 'posix-daemon');

function step(title, action) {
  process.stdout.write(`${title} … `);
  const result = action();
  process.stdout.write('ok\n');
  return result;
}

function expect(condition, message) {
  if (!condition) throw new Failure(`\nFAILED: ${message}`);
}

/** A PATH with node and npm's shell, and nothing that could compile. */
function barePath() {
  const folder = join(work, 'bin');
  mkdirSync(folder);
  symlinkSync(process.execPath, join(folder, 'node'));
  symlinkSync('/bin/sh', join(folder, 'sh'));
  return folder;
}
const bareEnv = { HOME: process.env.HOME, PATH: barePath() };

/** npm's own program, to be run without its directory in PATH. */
const npm = process.env.npm_execpath ?? join(output('npm', ['root', '--global']).trim(), 'npm', 'bin', 'npm-cli.js');

/** What a program prints with one of the Nodes in the app's folder. */
function inApp(node, ...args) {
  return output(node, args, { cwd: app, env: bareEnv }).trim();
}

function pack() {
  const [{ filename, files }] = JSON.parse(
    output('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', work]),
  );
  return { tarball: join(work, filename), files: files.map(({ path }) => path).sort() };
}

function checkFiles(files) {
  const foreign = files.filter((file) => !ALLOWED.some((pattern) => pattern.test(file)));
  expect(foreign.length === 0, `the tarball holds what it should not: ${foreign.join(', ')}`);

  const sources = output('git', ['ls-files', 'src', 'native']).split('\n').filter(Boolean);
  // The modules of the command are in its bundle.
  const scripts = sources.filter((file) => /^src\/(?!cli\/).*(?<!\.d)\.ts$/.test(file));
  const compiled = scripts.map((file) => file.replace(/^src\//, 'dist/').replace(/\.ts$/, ''));
  const expected = compiled.flatMap((file) => [`${file}.js`, `${file}.d.ts`]);
  const native = sources.filter((file) => file.startsWith('native/'));
  const missing = [...REQUIRED, ...expected, ...native].filter((file) => !files.includes(file));
  expect(missing.length === 0, `the tarball lacks ${missing.join(', ')}`);
  const stale = files.filter((file) => /^dist\/.*\.(js|ts)$/.test(file) && !expected.includes(file));
  expect(stale.length === 0, `no source makes ${stale.join(', ')}`);
}

function install(tarball) {
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  output(process.execPath, [npm, 'install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], {
    cwd: app,
    env: { ...process.env, ...bareEnv },
  });
}

function importAndRequire(node) {
  const [major, minor] = inApp(node, '-p', 'process.versions.node').split('.').map(Number);
  const use = 'if (posix.getsid() !== posix.getsid(process.pid)) process.exit(1); console.log("works");';
  const imported = inApp(node, '--input-type=module', '-e', `import * as posix from 'posix-daemon'; ${use}`);
  expect(imported === 'works', `import printed ${imported}`);
  // require() of ES modules came with 22.12 and 20.19.
  const canRequire = major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
  if (!canRequire) return;
  const required = inApp(node, '--input-type=commonjs', '-e', `const posix = require('posix-daemon'); ${use}`);
  expect(required === 'works', `require printed ${required}`);
}

/** The command, by the link that npm makes to it. */
function runCommand(node) {
  const command = join(app, 'node_modules', '.bin', 'posix-daemon');
  const env = { ...bareEnv, POSIX_DAEMON_HOME: join(work, 'state') };
  const posixDaemon = (...args) => output(node, [command, ...args], { cwd: app, env });
  const started = posixDaemon('start', '--name', 'x', '--', process.execPath, '-e', 'setInterval(() => {}, 1000)');
  expect(started.startsWith('x: started, pid '), `start printed ${started}`);
  const stopped = posixDaemon('stop', 'x');
  expect(stopped.startsWith('x: stopped by SIGTERM'), `stop printed ${stopped}`);
}

/** The tarball has to carry the executable bit: npm sets it for what `bin` names only, which the keeper isn't. */
function runKeeper() {
  const keeper = join(installed, 'prebuilds', `linux-${process.arch}`, KEEPER);
  const { status, stderr, error } = spawnSync(keeper, [], { encoding: 'utf8', env: {} });
  expect(status === 2 && stderr.includes('run or log is expected'), `${keeper}: ${error?.message ?? stderr}`);
}

/** Compiles a consumer as strictly as TypeScript can, as an ES module and as a CommonJS one. */
function compileConsumer() {
  symlinkSync(join(root, 'node_modules', '@types'), join(app, 'node_modules', '@types'));
  writeFileSync(
    join(app, 'consumer.mts'),
    `import { setsid } from 'posix-daemon';\nexport const session: number = setsid();\n`,
  );
  writeFileSync(
    join(app, 'consumer.cts'),
    `import posix = require('posix-daemon');\nexport const mask: number = posix.umask(0o22);\n`,
  );
  const options = [
    '--strict',
    '--exactOptionalPropertyTypes',
    '--skipLibCheck',
    'false',
    '--noEmit',
    '--types',
    'node',
  ];
  const target = ['--target', 'es2023', '--lib', 'es2023,esnext.disposable', '--module', 'nodenext'];
  output(bin('tsc'), [...options, ...target, 'consumer.mts', 'consumer.cts'], { cwd: app });
}

/** Without the prebuilt addon: first the error, then the remedy that it names. */
function buildFromSource() {
  rmSync(join(installed, 'prebuilds'), { recursive: true });
  const print = 'await import("posix-daemon").catch(({ code, message }) => console.log(code, message))';
  const printed = inApp(process.execPath, '--input-type=module', '-e', print);
  expect(printed.startsWith('ERR_POSIX_DAEMON_ADDON '), `without an addon the import printed ${printed}`);
  expect(printed.includes(`(cd ${installed} && npx node-gyp rebuild)`), `no remedy in ${printed}`);

  // Without this repository's defines: as a user builds it.
  const { GYP_DEFINES, ...env } = buildEnv();
  output(bin('node-gyp'), ['rebuild'], { cwd: installed, env });
  const [built] = readdirSync(join(installed, 'build', 'Release')).filter((name) => name.endsWith('.node'));
  expect(built === 'posix_daemon.node', `the build made ${built}`);
  accessSync(join(installed, 'build', 'Release', KEEPER), constants.X_OK);
  importAndRequire(process.execPath);
}

const { tarball, files } = step('npm pack', pack);
step(`the list of its ${files.length} files`, () => checkFiles(files));
step('install without scripts and compiler', () => install(tarball));
const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
// npm makes an install script of its own for a package with a binding.gyp, unless told not to.
expect(manifest.gypfile === false, 'package.json: gypfile must be false');
for (const hook of ['preinstall', 'install', 'postinstall']) {
  expect(!(hook in manifest.scripts), `npm 11 does not run a package's ${hook} script`);
}
for (const major of MAJORS) step(`import and require with Node ${major}`, () => importAndRequire(fetchNode(major)));
step('the keeper can be executed', runKeeper);
for (const major of MAJORS) step(`the command with Node ${major}`, () => runCommand(fetchNode(major)));
step('strict TypeScript consumer', compileConsumer);
step('publint', () => run(bin('publint'), ['--strict', '--level', 'suggestion', tarball]));
step('attw', () => run(bin('attw'), [tarball, '--profile', 'esm-only', '--no-emoji', '--format', 'ascii']));
step('the error without an addon, and its remedy', buildFromSource);
process.stdout.write(`${basename(tarball)}, ${files.length} files: as it should be (in ${dirname(tarball)})\n`);
