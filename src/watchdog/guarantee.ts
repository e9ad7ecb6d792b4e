/**
 * What kills that which a worker has started:
 * - 'cgroup': the kernel, all that is in the worker's cgroup, other users' processes too, and what forks as fast as it is killed
 * - 'subreaper': the keeper, all that descends from it, generation by generation
 * - 'pdeathsig': nobody; the worker itself dies with its keeper, and that with the watchdog
 */
export type Guarantee = 'cgroup' | 'subreaper' | 'pdeathsig';

export function guaranteeOf(killTree: boolean, cgroup: string | undefined): Guarantee {
  if (!killTree) return 'pdeathsig';
  return cgroup === undefined ? 'subreaper' : 'cgroup';
}
