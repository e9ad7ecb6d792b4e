import { makeFolder, stateFolder } from '../folders.js';
import { launch } from '../launch.js';
import type { Invocation } from '../parse.js';
import { planDaemon } from '../plan.js';
import { DaemonFiles } from '../record.js';
import { Settings } from '../settings.js';
import { print } from '../terminal.js';

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
