// Control groups, version 2: a keeper puts its worker into one of its own, which is killed in one step (cgroups(7)).
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';

/** What the folders are called that are made here and by keepers. */
const PREFIX = 'posix-daemon-';

/** Several PID namespaces may share a cgroup: the pids of the others mean nothing here. */
function prefixOfKeepers(): string {
  return `${PREFIX}${statSync('/proc/self/ns/pid').ino}-`;
}

/** The folder that a keeper makes. */
export function keeperCgroup(parent: string, pid: number): string {
  return join(parent, `${prefixOfKeepers()}${pid}`);
}

/** mountinfo writes blanks, tabs and the like as \040. */
function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * The folder of the cgroup that a process is in, from its /proc/PID/cgroup and /proc/PID/mountinfo; undefined where it has
 * none, or none that is mounted.
 */
export function cgroupFolder(cgroup: string, mountinfo: string): string | undefined {
  const own = /^0::(.*)$/m.exec(cgroup)?.[1];
  // Outside of this process's cgroup namespace.
  if (own === undefined || own.startsWith('/..')) return undefined;
  for (const line of mountinfo.split('\n')) {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const [, , , root = '', point = ''] = mount.split(' ');
    if (!filesystem.startsWith('cgroup2 ')) continue;
    const below = relative(unescaped(root), own);
    // What is mounted may be another part of the tree.
    if (below !== '..' && !below.startsWith('../')) return join(unescaped(point), below);
  }
  return undefined;
}

/** Whether groups can be made below, and killed: cgroup.kill came with Linux 5.14. */
function isUsable(folder: string): boolean {
  let probe: string | undefined;
  try {
    accessSync(join(folder, 'cgroup.procs'), constants.W_OK);
    probe = mkdtempSync(join(folder, `${PREFIX}probe-`));
    accessSync(join(probe, 'cgroup.kill'), constants.W_OK);
    return true;
  } catch {
    return false;
  } finally {
    if (probe !== undefined) rmdirSync(probe);
  }
}

/** The folder of this process's own cgroup, if groups can be made below it. */
export function usableCgroup(): string | undefined {
  try {
    const folder = cgroupFolder(
      readFileSync('/proc/self/cgroup', 'utf8'),
      readFileSync('/proc/self/mountinfo', 'utf8'),
    );
    return folder !== undefined && isUsable(folder) ? folder : undefined;
  } catch {
    return undefined; // /proc isn't mounted
  }
}

/** The groups of a watchdog's keepers, as far as they are left to the watchdog. */
export class LeftCgroups {
  readonly #parent: string | undefined;
  readonly #left = new Set<string>();

  constructor(parent: string | undefined) {
    this.#parent = parent;
    if (parent !== undefined) removeStale(parent);
  }

  /** A keeper has ended. It takes its group along; but not one with groups in it, nor if it was killed. */
  keeperEnded(pid: number): void {
    if (this.#parent === undefined) return;
    const folder = keeperCgroup(this.#parent, pid);
    this.#left.add(folder);
    try {
      writeFileSync(join(folder, 'cgroup.kill'), '1');
    } catch {
      // It is gone, as it should be.
    }
    this.sweep();
  }

  /** Removes what is empty by now; a process that is dying still holds its group. */
  sweep(): void {
    for (const folder of this.#left) if (isRemoved(folder)) this.#left.delete(folder);
  }
}

/** Of keepers that were killed together with their watchdog, nobody was left to do it. */
function removeStale(parent: string): void {
  const prefix = prefixOfKeepers();
  for (const name of readdirSync(parent)) {
    const pid = name.startsWith(prefix) ? name.slice(prefix.length) : '';
    if (/^\d+$/.test(pid) && !existsSync(`/proc/${pid}`)) isRemoved(join(parent, name));
  }
}

function isRemoved(folder: string): boolean {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory() && !isRemoved(join(folder, entry.name))) return false;
    }
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
