// Brings what an arm64 machine consists of, from Debian's packages: the kernel, the libraries that Node needs, busybox.
// `node scripts/fetch-arm64.mjs` prints the path of a folder with `kernel` and `root/` in it, kept in a cache.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure, output } from './run.mjs';
import { downloads } from './stage.mjs';

// Node 26's binary needs libatomic.
const PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1', 'libatomic1', 'busybox-static'];

const machine = join(downloads, 'arm64-machine');
if (!existsSync(machine)) {
  const folder = `${machine}.${process.pid}`;
  mkdirSync(folder, { recursive: true });
  try {
    fetchMachine(folder);
    renameSync(folder, machine);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
process.stdout.write(`${machine}\n`);

function fetchMachine(folder) {
  const apt = foreignApt(join(folder, 'apt'));
  apt('apt-get', ['update', '-q']);
  // linux-image-arm64 itself is empty, and depends on the package of the current kernel.
  const kernel = /Depends: (linux-image-\S+)/.exec(apt('apt-cache', ['depends', 'linux-image-arm64']))?.[1];
  if (!kernel) throw new Failure("fetch-arm64: Debian's linux-image-arm64 depends on no kernel");
  apt('apt-get', ['download', '-q', kernel, ...PACKAGES]);

  const debs = join(folder, 'apt', 'debs');
  const unpacked = join(folder, 'kernel-package');
  const root = join(folder, 'root');
  for (const deb of readdirSync(debs)) {
    output('dpkg-deb', ['-x', join(debs, deb), deb.startsWith('linux-image-') ? unpacked : root]);
  }
  const image = readdirSync(join(unpacked, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  renameSync(join(unpacked, 'boot', image), join(folder, 'kernel'));
  for (const done of [unpacked, join(folder, 'apt'), join(root, 'usr', 'share')]) rmSync(done, { recursive: true });
  // Debian 13's packages have all in /usr and leave these links to base-files.
  for (const name of ['bin', 'lib']) if (!existsSync(join(root, name))) symlinkSync(`usr/${name}`, join(root, name));
}

/**
 * Runs apt for arm64 with lists, state and cache of its own, from this machine's sources: `dpkg --add-architecture` would
 * change the machine.
 */
function foreignApt(folder) {
  const debs = join(folder, 'debs');
  for (const name of [debs, join(folder, 'lists', 'partial'), join(folder, 'archives', 'partial')]) {
    mkdirSync(name, { recursive: true });
  }
  const config = join(folder, 'apt.conf');
  const lines = [
    'APT::Architecture "arm64";',
    'APT::Architectures { "arm64"; };',
    'Acquire::Languages "none";',
    'APT::Sandbox::User "";', // it couldn't get at the folder
    `Dir::State "${folder}";`,
    `Dir::State::status "${join(folder, 'status')}";`,
    `Dir::Cache "${folder}";`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  writeFileSync(join(folder, 'status'), '');
  return (command, args) => output(command, args, { cwd: debs, env: { ...process.env, APT_CONFIG: config } });
}
