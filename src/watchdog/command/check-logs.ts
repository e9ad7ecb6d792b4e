import { closeSync } from 'node:fs';
import { openLog } from '../../daemon/log-file.js';
import type { CommandPlan } from './plan.js';

/**
 * Makes the logs, or looks whether they can be written: the supervisor, which opens them next, has nobody to tell.
 *
 * @throws as openLog()
 */
export function checkLogs({ outputs, logFileMode: mode, credentials: { uid, gid } }: CommandPlan): void {
  for (const one of outputs) {
    if (one.kind === 'log') closeSync(openLog(one.log.path, { mode, uid, gid }).fd);
  }
}
