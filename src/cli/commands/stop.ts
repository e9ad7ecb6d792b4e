import { nearestOf } from '../../daemon/nearest.js';
import type { Invocation } from '../arguments/parse.js';
import type { Settings } from '../arguments/settings.js';
import * as values from '../arguments/values.js';
import { type Ended, endDaemon } from '../launch/end.js';
import { duration } from '../output/format.js';
import { forEachDaemon } from '../output/several.js';
import { daemonNames } from '../state/record.js';

export const TIMEOUT_MS = 10_000;

type Told = Ended & { suggestion?: string };

export async function stop(invocation: Invocation): Promise<number> {
  const forget = invocation.flags.has('forget');
  return forEachDaemon<Told>(invocation, {
    prepare(settings) {
      const options = endOptions(settings);
      return async (files) => {
        const known = daemonNames(files.folder);
        const ended = await endDaemon(files, options);
        if (forget) files.forget();
        const near = known.includes(files.name) ? undefined : nearestOf(files.name, known);
        return { ...ended, ...(near === undefined ? {} : { suggestion: near }) };
      };
    },
    tell: ({ name, wasRunning, signal, tookMs = 0, suggestion }) => {
      if (wasRunning) return `${name}: stopped by ${signal} after ${duration(tookMs)}`;
      return `${name}: not running${suggestion === undefined ? '' : `. Did you mean '${suggestion}'?`}`;
    },
  });
}

export function endOptions(settings: Settings): { timeoutMs: number; signal: string | undefined } {
  return {
    timeoutMs: settings.get('timeout', values.milliseconds) ?? TIMEOUT_MS,
    signal: settings.get('signal', values.signal),
  };
}
