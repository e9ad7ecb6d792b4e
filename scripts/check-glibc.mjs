// Fails if a prebuilt addon or keeper is for another machine than its folder says, or needs a newer C or C++ library than
// promised: glibc 2.28 (RHEL 8, Debian 10), libstdc++ of GCC 8. Names each symbol, and what to do about it.
// `node scripts/check-glibc.mjs` looks at all of them under prebuilds/.
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, output } from './run.mjs';
import { root } from './stage.mjs';

/** The newest version of each library's symbols that may be needed. */
const NEWEST = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11', GCC: '8.0.0' };

/** What `readelf -h` and Debian call each architecture. */
export const MACHINES = {
  x64: { elf: 'Advanced Micro Devices X86-64', triplet: 'x86_64-linux-gnu' },
  arm64: { elf: 'AArch64', triplet: 'aarch64-linux-gnu' },
};

const isNewer = (version, limit) => version.localeCompare(limit, 'en', { numeric: true }) > 0;

/** The versioned symbols of a library's or addon's dynamic table, as { name, set, version, defined }. */
function dynamicSymbols(file) {
  // Columns: number, value, size, type, binding, visibility, section (UND if not defined here), NAME@SET_VERSION.
  const row = /^\s*\d+:\s+(?:\S+\s+){5}(\S+)\s+([^\s@]+)@{1,2}([A-Z]+)_([\d.]+)/;
  return output('readelf', ['-W', '--dyn-syms', file])
    .split('\n')
    .map((line) => row.exec(line))
    .filter(Boolean)
    .map(([, section, name, set, version]) => ({ name, set, version, defined: section !== 'UND' }));
}

/** How to get rid of a symbol that is too new. */
function advice({ name, set }, arch) {
  if (set !== 'GLIBC') {
    return `define it in native/libc_compat.cc, as its neighbours there are, or avoid what needs it (c++filt: ${output('c++filt', [name]).trim()})`;
  }
  const old = olderVersions(name, arch);
  return old.length > 0
    ? `add POSIX_DAEMON_PIN(${name}, …) to native/libc_compat.h; the C library here also has it as ${old.join(', ')}`
    : 'no older version of it exists: make the system call, look it up with dlsym, or define it in native/libc_compat.cc';
}

/** The versions within the limit that the C library of the build machine still offers of a symbol. */
function olderVersions(name, arch) {
  const { triplet } = MACHINES[arch];
  const compiler = process.arch === arch ? 'gcc' : `${triplet}-gcc`;
  const libc = output(compiler, ['-print-file-name=libc.so.6']).trim();
  return dynamicSymbols(libc)
    .filter((symbol) => symbol.defined && symbol.name === name && !isNewer(symbol.version, NEWEST.GLIBC))
    .map(({ version }) => `GLIBC_${version}`);
}

/** The names that prebuildify and the build give them. */
export const ADDON = 'posix-daemon.glibc.node';
export const KEEPER = 'posix-daemon-keeper';

/** Throws a Failure that names all that is wrong with the addon or the keeper of a folder; else says what they need. */
export function checkPrebuilds(folder, arch) {
  const found = readdirSync(folder).sort();
  if (found.join() !== [KEEPER, ADDON].sort().join()) {
    throw new Failure(`${folder}: ${ADDON} and ${KEEPER} expected, found ${found.join(', ') || 'nothing'}`);
  }
  checkBinary(join(folder, ADDON), arch);
  const keeper = join(folder, KEEPER);
  checkBinary(keeper, arch);
  // One for each daemon: it is to be small, and to run where there is no C++ library.
  const needed = [...output('readelf', ['-d', keeper]).matchAll(/\(NEEDED\).*\[(.*)\]/g)].map(([, name]) => name);
  if (needed.join() !== 'libc.so.6') throw new Failure(`${keeper} needs ${needed.join(', ')}, not the C library alone`);
  if ((statSync(keeper).mode & 0o111) !== 0o111) throw new Failure(`${keeper} is not executable`);
}

function checkBinary(file, arch) {
  const machine = /Machine:\s+(.*)/.exec(output('readelf', ['-h', file]))?.[1];
  if (machine !== MACHINES[arch].elf) throw new Failure(`${file}: made for ${machine}, not for ${MACHINES[arch].elf}`);

  const needed = dynamicSymbols(file).filter(({ defined }) => !defined);
  const tooNew = needed.filter(({ set, version }) => !(set in NEWEST) || isNewer(version, NEWEST[set]));
  if (tooNew.length > 0) {
    const lines = tooNew.map((symbol) => `  ${symbol.name}@${symbol.set}_${symbol.version}: ${advice(symbol, arch)}`);
    throw new Failure(`${file} needs newer libraries than promised:\n${lines.join('\n')}`);
  }
  const highest = Object.keys(NEWEST).map((set) => {
    const versions = needed.filter((symbol) => symbol.set === set).map(({ version }) => version);
    return versions.length > 0 && `${set} ${versions.reduce((a, b) => (isNewer(b, a) ? b : a))} (≤ ${NEWEST[set]})`;
  });
  process.stdout.write(`${basename(file)} for ${arch} needs at most ${highest.filter(Boolean).join(', ')}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const prebuilds = join(root, 'prebuilds');
  for (const arch of Object.keys(MACHINES)) checkPrebuilds(join(prebuilds, `linux-${arch}`), arch);
}
