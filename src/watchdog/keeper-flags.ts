import type { WatchdogPlan } from './options.js';

/** What a keeper is told, besides whom it keeps. */
export function keeperFlags(plan: WatchdogPlan, cgroup: string | undefined): string[] {
  return [
    ...(plan.killTree ? [] : ['--keep-descendants']),
    ...(plan.onParentDeath === 'terminate' ? ['--terminate', `${plan.stopSignal}:${plan.stopTimeoutMs}`] : []),
    ...(plan.killTree && cgroup !== undefined ? ['--cgroup', cgroup] : []),
  ];
}
