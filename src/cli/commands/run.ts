import { keeperPath } from '../../daemon/keeper.js';
import { execve } from '../../posix/exec.js';
import { makeFolder, stateFolder } from '../folders.js';
import { keeperArguments } from '../keeper-arguments.js';
import { Locks } from '../locks.js';
import type { Invocation } from '../parse.js';
import { planDaemon } from '../plan.js';
import { DaemonFiles } from '../record.js';
import { Settings } from '../settings.js';

/** Becomes the keeper: nothing of Node stays behind it. Returns only by throwing. */
export async function run(invocation: Invocation): Promise<never> {
  const folder = stateFolder();
  const record = planDaemon(invocation, new Settings(invocation), folder);
  makeFolder(folder);
  const files = new DaemonFiles(folder, record.name);
  const locks = Locks.take(files, record);
  const draft = files.draft(record);
  try {
    draft.commit();
    locks.letGoOfName();
    const keeper = keeperPath();
    const { fd } = locks.pidFile;
    return execve(keeper, [keeper, ...keeperArguments(record, files, { lock: fd })], record.env, { fds: [fd] });
  } catch (error) {
    draft.discard();
    locks.release();
    throw error;
  }
}
