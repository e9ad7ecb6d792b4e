import { keeperPath } from '../../daemon/keeper.js';
import { execve } from '../../posix/exec.js';
import type { Invocation } from '../arguments/parse.js';
import { Settings } from '../arguments/settings.js';
import { keeperArguments } from '../launch/keeper-arguments.js';
import { planDaemon } from '../launch/plan.js';
import { makeFolder, stateFolder } from '../state/folders.js';
import { Locks } from '../state/locks.js';
import { DaemonFiles } from '../state/record.js';

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
