import type { Invocation } from '../arguments/parse.js';
import { Settings } from '../arguments/settings.js';
import { paintState, stateAsJson } from '../output/describe.js';
import { duration, shellWords } from '../output/format.js';
import { painter, print } from '../output/terminal.js';
import { existingStateFolder } from '../state/folders.js';
import { DaemonFiles, daemonNames } from '../state/record.js';
import { type DaemonState, lookAt } from '../state/state.js';

const HEAD = ['NAME', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'COMMAND'];
const STATE = 1;

export async function list(invocation: Invocation): Promise<number> {
  const json = new Settings(invocation).switch('json');
  const folder = existingStateFolder();
  const names = daemonNames(folder);
  if (invocation.flags.has('names')) {
    print(json ? `${JSON.stringify({ names })}\n` : names.map((name) => `${name}\n`).join(''));
    return 0;
  }
  const daemons = names.map((name) => lookAt(new DaemonFiles(folder as string, name)));
  print(json ? `${JSON.stringify({ daemons: daemons.map(stateAsJson) })}\n` : table(daemons));
  return 0;
}

function table(daemons: readonly DaemonState[]): string {
  const paint = painter(process.stdout);
  const rows = daemons.map(({ name, state, pid, uptimeMs, restarts, command = [] }) => [
    name,
    state,
    String(pid ?? '-'),
    uptimeMs === undefined ? '-' : duration(uptimeMs),
    String(restarts ?? '-'),
    shellWords(command),
  ]);
  const widths = HEAD.map((head, i) => Math.max(head.length, ...rows.map((row) => (row[i] as string).length)));
  const line = (row: readonly string[], colour = (_: string, text: string) => text) =>
    row
      .map((cell, i) => {
        const padded = i === row.length - 1 ? cell : cell.padEnd(widths[i] as number);
        return i === STATE ? colour(cell, padded) : padded;
      })
      .join('  ');
  const coloured = (state: string, text: string) => paintState(paint, state as DaemonState['state'], text);
  return [line(HEAD), ...rows.map((row) => line(row, coloured)), ''].join('\n');
}
