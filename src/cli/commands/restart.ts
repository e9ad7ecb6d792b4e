import { accessSync, constants, statSync } from 'node:fs';
import { nearestOf } from '../../daemon/nearest.js';
import type { Invocation } from '../arguments/parse.js';
import { coded } from '../errors.js';
import { endDaemon } from '../launch/end.js';
import { launch } from '../launch/launch.js';
import { forEachDaemon } from '../output/several.js';
import { type DaemonFiles, type DaemonRecord, daemonNames } from '../state/record.js';
import { endOptions } from './stop.js';

interface Restarted {
  readonly name: string;
  readonly pid: number;
  readonly wasRunning: boolean;
}

export async function restart(invocation: Invocation): Promise<number> {
  return forEachDaemon<Restarted>(invocation, {
    prepare(settings) {
      const options = endOptions(settings);
      return async (files) => {
        const record = files.record(true) ?? refuseUnknown(files);
        if (record.foreground) throw foreground(record);
        checkStillThere(record);
        const { wasRunning } = await endDaemon(files, options);
        return { name: files.name, pid: await launch(files, record), wasRunning };
      };
    },
    tell: ({ name, pid, wasRunning }) => `${name}: ${wasRunning ? 'restarted' : 'started'}, pid ${pid}`,
  });
}

export function refuseUnknown({ folder, name }: DaemonFiles): never {
  const near = nearestOf(name, daemonNames(folder));
  const hint = near === undefined ? '' : `. Did you mean '${near}'?`;
  const more = { ...(near === undefined ? {} : { suggestion: near }) };
  throw coded('ERR_UNKNOWN_DAEMON', `${name}: no daemon of this name is known${hint}`, more);
}

function foreground({ name }: DaemonRecord): Error {
  const message = `${name}: it was started in the foreground (posix-daemon run): start it again where it was`;
  return coded('ERR_FOREGROUND', message);
}

/** What can't be started again is better left running. */
function checkStillThere({ file, cwd, chroot }: DaemonRecord): void {
  if (chroot !== undefined) return;
  accessSync(file, constants.X_OK);
  statSync(cwd);
}
