import type { Invocation } from '../arguments/parse.js';
import { namesMeant, Settings } from '../arguments/settings.js';
import { describeState, stateAsJson } from '../output/describe.js';
import { painter, print } from '../output/terminal.js';
import { existingStateFolder, stateFolder } from '../state/folders.js';
import { DaemonFiles, daemonNames } from '../state/record.js';
import { EXIT_CODES, lookAt } from '../state/state.js';

/** Of several daemons the worst decides. */
const WORST_FIRST = ['unknown', 'dead', 'stopped', 'running'] as const;

export async function status(invocation: Invocation): Promise<number> {
  const settings = new Settings(invocation);
  const json = settings.switch('json');
  const existing = existingStateFolder();
  const named = namesMeant(invocation, settings);
  const names = named.length > 0 ? named : daemonNames(existing);
  const daemons = names.map((name) => lookAt(new DaemonFiles(existing ?? stateFolder(), name)));
  if (json) {
    print(`${JSON.stringify({ daemons: daemons.map(stateAsJson) })}\n`);
  } else {
    const paint = painter(process.stdout);
    print(`${daemons.map((daemon) => describeState(daemon, paint)).join('\n') || 'no daemons'}\n`);
  }
  const worst = WORST_FIRST.find((state) => daemons.some((daemon) => daemon.state === state));
  return EXIT_CODES[worst ?? 'stopped'];
}
