// The same for several daemons: each result is told, and one failure doesn't keep the others from being carried out.

import type { Invocation } from '../arguments/parse.js';
import { namesMeant, Settings } from '../arguments/settings.js';
import { usage } from '../errors.js';
import { existingStateFolder, stateFolder } from '../state/folders.js';
import { DaemonFiles, daemonNames } from '../state/record.js';
import { errorAsJson, printError } from './print-error.js';
import { print } from './terminal.js';

interface Action<T> {
  prepare(settings: Settings): (files: DaemonFiles) => Promise<T>;
  tell(result: T): string;
}

export async function forEachDaemon<T extends object>(invocation: Invocation, action: Action<T>): Promise<number> {
  const settings = new Settings(invocation);
  const json = settings.switch('json');
  const existing = existingStateFolder();
  const names = namesMeant(invocation, settings);
  if (names.length === 0) throw noName(invocation, daemonNames(existing));
  const act = action.prepare(settings);
  const folder = existing ?? stateFolder();
  const results = await Promise.all(
    names.map(async (name) => {
      try {
        const result = await act(new DaemonFiles(folder, name));
        if (!json) print(`${action.tell(result)}\n`);
        return result;
      } catch (error) {
        if (!json) printError(error as Error, { json, command: invocation.command.name });
        return { name, error: errorAsJson(error as Error) };
      }
    }),
  );
  if (json) print(`${JSON.stringify({ daemons: results })}\n`);
  return results.some((result) => 'error' in result) ? 1 : 0;
}

export function noName({ command }: Invocation, known: readonly string[]): Error {
  const hint = known.length > 0 ? `. There are ${known.join(', ')}` : '. There is none';
  return usage('ERR_MISSING_OPERAND', `${command.name} needs the name of a daemon${hint}`);
}
