// A daemon's record as the keeper takes it on its command line.
import type { Resource } from '../../posix/resources.js';
import { signalNumber } from '../../posix/signal-number.js';
import { usableCgroup } from '../../watchdog/cgroup.js';
import { flag, limitFlag, readinessFlags, supervisionFlags } from '../../watchdog/command/supervision.js';
import type { DaemonFiles, DaemonRecord } from '../state/record.js';

/** The descriptors that the keeper is handed, by the numbers that they have there. */
export interface HandedOver {
  lock: number;
  report?: number;
}

export function keeperArguments(record: DaemonRecord, files: DaemonFiles, handed: HandedOver): string[] {
  const { groups, rlimits, readiness, supervision } = record;
  return [
    'run',
    ...flag('name', record.name),
    ...flag('pid-file', record.pidFile),
    ...flag('lock-fd', handed.lock),
    ...flag('report-fd', handed.report),
    ...flag('status-file', files.status),
    ...flag('up-ms', record.upMs),
    ...(readiness ? readinessFlags(readiness, record.readyTimeoutMs) : []),
    ...(supervision ? [...supervisionFlags(supervision), ...flag('cgroup', usableCgroup())] : []),
    ...flag('stdout', record.stdout),
    ...flag('stderr', record.stderr),
    ...flag('max-bytes', record.maxBytes),
    ...flag('backups', record.backups),
    ...(record.timestamps ? ['--timestamps'] : []),
    ...flag('uid', record.uid),
    ...flag('gid', record.gid),
    ...flag('groups', groups?.join(',')),
    ...flag('chroot', record.chroot),
    ...flag('chdir', record.cwd),
    ...flag('umask', record.umask.toString(8)),
    ...flag('nice', record.nice),
    ...Object.entries(rlimits).flatMap(([name, limit]) => limitFlag(name as Resource, limit)),
    ...flag('stop-signal', signalNumber('stopSignal', record.stopSignal)),
    ...(record.foreground ? ['--foreground'] : []),
    '--',
    record.file,
    ...record.argv,
  ];
}
