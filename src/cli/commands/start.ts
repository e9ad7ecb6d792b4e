import type { Invocation } from '../arguments/parse.js';
import { Settings } from '../arguments/settings.js';
import { launch } from '../launch/launch.js';
import { planDaemon } from '../launch/plan.js';
import { print } from '../output/terminal.js';
import { makeFolder, stateFolder } from '../state/folders.js';
import { DaemonFiles } from '../state/record.js';

export async function start(invocation: Invocation): Promise<number> {
  const settings = new Settings(invocation);
  const json = settings.switch('json');
  const folder = stateFolder();
  const record = planDaemon(invocation, settings, folder);
  makeFolder(folder);
  const pid = await launch(new DaemonFiles(folder, record.name), record);
  const { name, pidFile, stdout, stderr } = record;
  print(json ? `${JSON.stringify({ name, pid, pidFile, stdout, stderr })}\n` : `${name}: started, pid ${pid}\n`);
  return 0;
}
