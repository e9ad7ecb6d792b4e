// Builds the prebuilt addon and keeper into prebuilds/: `node scripts/prebuild.mjs [x64|arm64]`, the host's architecture if none
// is given, another one with Debian's cross compiler. Then checks what came out: machine and library versions.
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkPrebuilds, KEEPER, MACHINES } from './check-glibc.mjs';
import { bin, Failure, output, run } from './run.mjs';
import { buildEnv, root, stage } from './stage.mjs';

/** The oldest Node of `engines`: what the addon is built against, whichever Node builds it. */
const TARGET = '20.11.0';

const arch = process.argv[2] ?? process.arch;
if (!Object.hasOwn(MACHINES, arch)) throw new Failure(`prebuild: ${Object.keys(MACHINES).join(' or ')}, not ${arch}`);
const { triplet } = MACHINES[arch];
const tool = (name) => (arch === process.arch ? name : `${triplet}-${name}`);

const env = buildEnv({ CC: tool('gcc'), CXX: tool('g++'), LINK: tool('g++'), AR: tool('ar') });
output(env.CXX, ['--version']);
const prebuilds = join(root, 'prebuilds', `linux-${arch}`);
rmSync(prebuilds, { recursive: true, force: true });
const folder = stage(`prebuild-${arch}`);
const options = ['--napi', '--tag-libc', '--strip', '--strip-bin', tool('strip'), '--name', 'posix-daemon'];
run(bin('prebuildify'), [...options, '--arch', arch, '--target', TARGET, '--cwd', folder, '--out', root], { env });
// prebuildify takes addons only.
copyFileSync(join(folder, 'build', 'Release', KEEPER), join(prebuilds, KEEPER));
run(tool('strip'), [join(prebuilds, KEEPER)]);
checkPrebuilds(prebuilds, arch);
