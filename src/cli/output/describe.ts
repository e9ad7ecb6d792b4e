// A daemon's state, in words and as JSON.

import type { DaemonState, WorkerState } from '../state/state.js';
import { bytes, duration, shellWords } from './format.js';
import { errorAsJson } from './print-error.js';
import type { painter } from './terminal.js';

export function stateAsJson({ error, ...state }: DaemonState): object {
  return error ? { ...state, error: errorAsJson(error) } : state;
}

const COLOURS = { running: 'green', dead: 'red', stopped: 'yellow', unknown: 'magenta' } as const;

export function paintState(paint: ReturnType<typeof painter>, state: DaemonState['state'], text: string): string {
  return paint(COLOURS[state], text);
}

/** One line on whether it runs, then what is to be known about it. */
export function describeState(daemon: DaemonState, paint: ReturnType<typeof painter>): string {
  const { name, state, error, command, cwd } = daemon;
  const words = `${name}: ${paintState(paint, state, headline(daemon))}`;
  const lines: [string, string | undefined][] = [
    ['error', error?.message],
    ['pid', pids(daemon)],
    ['memory', memory(daemon)],
    ['command', command && shellWords(command)],
    ['cwd', cwd],
    ['log', logs(daemon)],
    ...workers(daemon),
  ];
  const shown = lines.filter(([, value]) => value !== undefined);
  return [words, ...shown.map(([key, value]) => `  ${`${key}:`.padEnd(10)}${value}`)].join('\n');
}

function headline({ state, uptimeMs, startedAt, foreground, end, command }: DaemonState): string {
  switch (state) {
    case 'running': {
      const where = foreground ? ' in the foreground' : '';
      return uptimeMs === undefined
        ? `running${where}`
        : `running${where} for ${duration(uptimeMs)}, since ${startedAt?.toISOString()}`;
    }
    case 'dead':
      return `dead: ${ending(end) ?? 'it was killed together with its keeper, or the machine was switched off'}`;
    case 'stopped':
      return command ? `not running${end ? `: ${ending(end)}` : ''}` : 'not running; no daemon of this name is known';
    case 'unknown':
      return 'unknown';
  }
}

function ending(end: DaemonState['end']): string | undefined {
  return end && `${end.asked ? 'stopped on request, ' : ''}${how(end)}`;
}

function how({ signal, exitCode, endedAt }: NonNullable<WorkerState['lastExit']>): string {
  const end = signal ? `killed by ${signal}` : `exited with code ${exitCode}`;
  return `${end}${endedAt ? `, ${endedAt.toISOString()}` : ''}`;
}

/** A line for each program of a daemon that is watched. */
function workers({ workers = [] }: DaemonState): [string, string][] {
  return workers.map(({ worker, state, pid, uptimeMs, rss, restarts, lastExit }) => {
    const parts = [
      state === 'running' && uptimeMs !== undefined ? `running for ${duration(uptimeMs)}` : state,
      pid && `pid ${pid}`,
      rss && bytes(rss),
      `${restarts} restart${restarts === 1 ? '' : 's'}`,
      lastExit && `last: ${how(lastExit)}`,
    ];
    return [`worker ${worker}`, parts.filter(Boolean).join(', ')];
  });
}

function pids({ pid, keeperPid, workers: { length } = [] }: DaemonState): string | undefined {
  if (length > 0) return `${keeperPid}, the keeper`;
  if (pid === undefined) return undefined;
  return keeperPid === undefined || keeperPid === pid ? String(pid) : `${pid}, kept by ${keeperPid}`;
}

function memory({ rss, pss }: DaemonState): string | undefined {
  if (rss === undefined) return undefined;
  return `${bytes(rss)} resident${pss === undefined ? '' : `, ${bytes(pss)} its share`}`;
}

function logs({ stdout, stderr }: DaemonState): string | undefined {
  if (stdout === stderr) return stdout;
  return [stdout, stderr].filter((path) => path !== undefined).join(', ');
}
