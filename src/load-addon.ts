// Finds and loads the native addon, or says in one error what was tried, why it failed and what helps.
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import nodeGypBuild from 'node-gyp-build';

const require = createRequire(import.meta.filename);
/** Of the installed package, or of the checkout. */
export const packageRoot = dirname(import.meta.dirname);

/** Node-API version that binding.gyp asks for: the oldest Node that has it is 18.17 or 20.3. */
const NODE_API = 9;

/** What the addon would have to be made for. */
interface Target {
  platform: string;
  arch: string;
  /** Such as '2.36'; undefined where the C library is not glibc. */
  glibc: string | undefined;
  node: string;
  /** The highest Node-API version of this Node. */
  nodeApi: string;
}

/** One place where the addon was looked for, and why it did not come from there. */
interface Attempt {
  path: string;
  failure: string;
}

/**
 * Loads the addon: what was built from source in the package's own folder, else the prebuilt one. The own build comes
 * first because whoever made one had a reason to.
 *
 * @throws ERR_POSIX_DAEMON_ADDON with all that was tried; `cause` is the error underneath
 */
export function loadAddon(): unknown {
  const file = findAddon();
  try {
    return require(file);
  } catch (error) {
    // No further place is tried: an addon that is there and fails to load is a fault to be seen, not to be got round.
    const { code, message } = error as NodeJS.ErrnoException;
    throw addonError([{ path: file, failure: code ? `${code}: ${message}` : message }], error as Error);
  }
}

/** The folder that the addon comes from; what else is native lies there too. */
export function addonFolder(): string {
  return dirname(findAddon());
}

let found: string | undefined;

function findAddon(): string {
  if (found) return found;
  // node-gyp-build's switch, for developers: another folder with build/Release or prebuilds in it.
  const root = process.env.POSIX_DAEMON_PREBUILD || packageRoot;
  try {
    found = nodeGypBuild.resolve(root);
    return found;
  } catch (error) {
    throw addonError(placesLookedAt(root), error as Error);
  }
}

/** The places that node-gyp-build's resolve looks at, with what was there instead. */
function placesLookedAt(root: string): Attempt[] {
  const tuple = join('prebuilds', `${process.platform}-${process.arch}`);
  const builds = process.env.PREBUILDS_ONLY ? [] : [join(root, 'build', 'Release'), join(root, 'build', 'Debug')];
  const folders = [...builds, join(root, tuple), join(dirname(process.execPath), tuple)];
  return folders.map((path) => ({ path, failure: whatIsIn(path) }));
}

function whatIsIn(folder: string): string {
  try {
    const addons = readdirSync(folder).filter((name) => name.endsWith('.node'));
    return addons.length > 0 ? `only ${addons.join(', ')}, for another C library or Node` : 'no addon in it';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? 'no such folder' : (error as Error).message;
  }
}

function addonError(attempts: readonly Attempt[], cause: Error): Error {
  const message = describeFailure(hostTarget(), attempts, packageRoot);
  return Object.assign(new Error(message, { cause }), { code: 'ERR_POSIX_DAEMON_ADDON' });
}

function hostTarget(): Target {
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: glibcVersion(),
    node: process.versions.node,
    nodeApi: process.versions.napi ?? 'none',
  };
}

/** Only the diagnostic report knows it. Without `excludeNetwork` the report resolves addresses, which can take seconds. */
function glibcVersion(): string | undefined {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    return (report.getReport() as { header: { glibcVersionRuntime?: string } }).header.glibcVersionRuntime;
  } finally {
    if (before !== undefined) report.excludeNetwork = before;
  }
}

/** The message of ERR_POSIX_DAEMON_ADDON: the target, every place with its failure, the reason in words, the remedy. */
export function describeFailure(target: Target, attempts: readonly Attempt[], root: string): string {
  const libc = target.glibc ? `glibc ${target.glibc}` : target.platform === 'linux' ? 'no glibc (musl?)' : 'no glibc';
  const { reason, remedy } = diagnose(target, attempts.map(({ failure }) => failure).join('\n'), root);
  return [
    'The native addon of posix-daemon could not be loaded.',
    `  needed: ${target.platform}-${target.arch}, ${libc}, Node-API ${NODE_API} (Node ${target.node} has ${target.nodeApi})`,
    ...attempts.map(({ path, failure }) => `  tried:  ${path}: ${failure}`),
    `  reason: ${reason}`,
    `  remedy: ${remedy}`,
  ].join('\n');
}

function diagnose(target: Target, failures: string, root: string): { reason: string; remedy: string } {
  const build = `build it from source: (cd ${root} && npx node-gyp rebuild), which needs make, g++ and python3`;
  if (target.platform !== 'linux') {
    return { reason: `posix-daemon runs on Linux only, not on ${target.platform}`, remedy: 'none' };
  }
  if (Number(target.nodeApi) < NODE_API) {
    return { reason: `Node ${target.node} is too old`, remedy: 'use Node 20.11 or newer' };
  }
  if (failures.includes('ERR_DLOPEN_DISABLED')) {
    return {
      reason: 'this Node was started without leave to load addons (--permission or --no-addons)',
      remedy: 'start it with --allow-addons, or without --no-addons',
    };
  }
  if (!target.glibc) {
    return {
      reason: 'the prebuilt addon needs glibc; a live fork() is not there for musl',
      remedy: `use a glibc image (such as node:22-slim); for the other calls, untested, ${build}`,
    };
  }
  const needed = /version [`'](\w+)_([\d.]+)' not found/.exec(failures);
  if (needed) {
    return { reason: `the C or C++ library here is older than ${needed[1]} ${needed[2]}`, remedy: build };
  }
  if (/wrong ELF class|invalid ELF header|cannot open shared object file/.test(failures)) {
    return { reason: 'the file is damaged, or made for another machine', remedy: `install again, or ${build}` };
  }
  if (failures.includes('failed to map segment')) {
    return { reason: 'the file lies on a file system mounted noexec', remedy: 'install on one that is not' };
  }
  if (failures.includes('ERR_DLOPEN_FAILED')) {
    return { reason: 'the dynamic linker refused it, as said above', remedy: build };
  }
  return { reason: `there is no addon for linux-${target.arch} in this installation`, remedy: build };
}
