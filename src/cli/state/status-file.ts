// NAME.status, in which the keeper tells of its program.
import { signalName } from '../../posix/signal-number.js';
import { readIfThere } from './state-file.js';

export interface ProgramStatus {
  readonly pid?: number;
  /** Field 22 of /proc/PID/stat: with it a pid means one process only. */
  readonly startTicks?: string;
  readonly bootId?: string;
  /** Once it has ended. */
  readonly end?: Ending;
}

export interface Ending {
  exitCode?: number;
  signal?: string;
  endedAt?: Date;
  /** Whether it had been asked to. */
  asked: boolean;
}

export function readStatus(path: string): ProgramStatus | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const fields = new Map(text.split('\n').map((line) => line.split(/ (.*)/) as [string, string]));
  const number = (key: string) => (fields.has(key) ? Number(fields.get(key)) : undefined);
  const pid = number('pid');
  const startTicks = fields.get('start-ticks');
  const bootId = fields.get('boot-id');
  return {
    ...(pid ? { pid } : {}),
    ...(startTicks ? { startTicks } : {}),
    ...(bootId ? { bootId } : {}),
    ...(fields.get('state') === 'exited' ? { end: ending(fields, number) } : {}),
  };
}

function ending(fields: ReadonlyMap<string, string>, number: (key: string) => number | undefined): Ending {
  const exitCode = number('exit-code');
  const signal = fields.get('signal');
  const endedAt = number('ended-at');
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal: /^\d+$/.test(signal) ? signalName(Number(signal)) : signal }),
    ...(endedAt ? { endedAt: new Date(endedAt) } : {}),
    asked: fields.get('asked') === '1',
  };
}
