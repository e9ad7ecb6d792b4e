import type { Invocation } from '../arguments/parse.js';
import { namesMeant, Settings } from '../arguments/settings.js';
import * as values from '../arguments/values.js';
import { coded } from '../errors.js';
import { LogFollower } from '../logs/follower.js';
import { LogPrinter } from '../logs/printer.js';
import { lastLinesWithBackups } from '../logs/tail.js';
import { noName } from '../output/several.js';
import { existingStateFolder, stateFolder } from '../state/folders.js';
import { DaemonFiles, daemonNames } from '../state/record.js';
import { refuseUnknown } from './restart.js';

const LINES = 10;

export async function logs(invocation: Invocation): Promise<number> {
  const settings = new Settings(invocation);
  const existing = existingStateFolder();
  const [name] = namesMeant(invocation, settings);
  if (name === undefined) throw noName(invocation, daemonNames(existing));
  const files = new DaemonFiles(existing ?? stateFolder(), name);
  const { stdout, stderr } = files.record(true) ?? refuseUnknown(files);
  const paths = [...new Set([stdout, stderr])].filter((path) => path !== undefined);
  if (paths.length === 0) throw coded('ERR_NO_LOG', `${name}: runs in the foreground, and its output goes there`);

  const count = settings.get('lines', values.count) ?? LINES;
  const printer = new LogPrinter({ json: settings.switch('json'), headings: paths.length > 1 });
  if (settings.switch('follow')) {
    await Promise.all(paths.map((path) => new LogFollower(path, printer).follow(count)));
  } else {
    for (const path of paths) await printer.lines(path, lastLinesWithBackups(path, count));
  }
  return 0;
}
