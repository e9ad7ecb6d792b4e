import type { Output } from '../../daemon/option-values.js';
import type { StdioSource } from '../../posix/exec-options.js';
import type { CommandPlan } from './plan.js';
import { flag, limitFlag, readinessFlags, supervisionFlags } from './supervision.js';

/** The descriptors that the supervisor is handed, by the numbers that they have there. */
export const HANDED = { events: 3, control: 4 } as const;

/** @param workers how many, if that isn't what the plan says any more */
export function supervisorArguments(plan: CommandPlan, workers: number | undefined): string[] {
  const { uid, gid, groups } = plan.credentials;
  const { umask } = plan;
  return [
    'run',
    ...flag('name', plan.title),
    ...flag('parent', process.pid),
    ...flag('parent-grace-ms', plan.terminates ? plan.supervision.stopTimeoutMs : undefined),
    ...flag('cgroup', plan.cgroup),
    ...flag('events-fd', HANDED.events),
    ...flag('control-fd', HANDED.control),
    ...flag('stop-signal', plan.stopSignal),
    ...supervisionFlags({ ...plan.supervision, ...(workers === undefined ? {} : { workers }) }),
    ...readinessFlags(plan.readiness, plan.readyTimeoutMs),
    ...logFlags(plan),
    ...flag('stdin', plan.stdin),
    ...flag('umask', umask?.toString(8)),
    ...plan.rlimits.flatMap(([name, limit]) => limitFlag(name, limit)),
    ...flag('nice', plan.nice),
    ...flag('chroot', plan.chroot),
    ...flag('groups', groups?.join(',')),
    ...flag('gid', gid),
    ...flag('uid', uid),
    ...flag('chdir', plan.cwd),
    '--',
    plan.file,
    ...plan.argv,
  ];
}

function logFlags({ outputs: [stdout, stderr], logFileMode }: CommandPlan): string[] {
  const log = [stdout, stderr].flatMap((one) => (one.kind === 'log' ? one.log : []))[0];
  if (!log) return [];
  return [
    ...flag('stdout', pathOf(stdout)),
    ...flag('stderr', pathOf(stderr)),
    ...flag('log-mode', logFileMode.toString(8)),
    ...flag('max-bytes', log.maxBytes),
    ...flag('backups', log.backups),
    ...(log.timestamps ? ['--timestamps'] : []),
  ];
}

function pathOf(output: Output): string | undefined {
  return output.kind === 'log' ? output.log.path : undefined;
}

/** What the supervisor has as standard output and error, and a worker where nothing is logged. */
export function outputs({ outputs: both }: CommandPlan): StdioSource[] {
  return both.map(sourceOf);
}

function sourceOf(output: Output): StdioSource {
  switch (output.kind) {
    case 'descriptor':
      return output.fd;
    case 'inherit':
      return 'inherit';
    case 'null':
    case 'log':
      return 'null';
  }
}
