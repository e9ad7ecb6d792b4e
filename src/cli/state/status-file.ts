// NAME.status, in which the keeper tells of its program.
import { signalName } from '../../posix/signal-number.js';
import { decodeStatus } from '../../watchdog/command/decode-status.js';
import { readIfThere } from './state-file.js';

export interface ProgramStatus {
  readonly pid?: number;
  /** Field 22 of /proc/PID/stat: with it a pid means one process only. */
  readonly startTicks?: string;
  readonly bootId?: string;
  /** Once it has ended. */
  readonly end?: Ending;
  /** Of a program that is watched. */
  readonly workers: readonly WorkerStatus[];
}

/** One of the programs of a keeper that watches them. */
export interface WorkerStatus {
  /** From 1 on. */
  readonly worker: number;
  /** 'waiting' is for its next start. */
  readonly state: 'starting' | 'running' | 'waiting' | 'ending' | 'finished' | 'given-up';
  readonly pid?: number;
  readonly startTicks?: string;
  readonly restarts: number;
  /** How the one before it ended. */
  readonly lastExit?: Omit<Ending, 'asked'>;
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
    workers: text.split('\n').flatMap((line) => (line.startsWith('worker ') ? worker(line) : [])),
  };
}

/** Pairs of a key and a value. */
function worker(line: string): WorkerStatus {
  const fields = new Map([...line.matchAll(/(\S+) (\S+)/g)].map(([, key, value]) => [key, value as string]));
  const pid = Number(fields.get('pid') ?? 0);
  const startTicks = fields.get('start-ticks');
  const lastStatus = fields.get('last-wait-status');
  return {
    worker: Number(fields.get('worker')),
    state: fields.get('state') as WorkerStatus['state'],
    ...(pid ? { pid } : {}),
    ...(startTicks ? { startTicks } : {}),
    restarts: Number(fields.get('restarts') ?? 0),
    ...(lastStatus === undefined
      ? {}
      : { lastExit: lastExit(Number(lastStatus), Number(fields.get('last-ended-at'))) }),
  };
}

function lastExit(status: number, endedAt: number): Omit<Ending, 'asked'> {
  const { exitCode, signal } = decodeStatus(status);
  return { ...(signal === null ? { exitCode } : { signal }), endedAt: new Date(endedAt) };
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
