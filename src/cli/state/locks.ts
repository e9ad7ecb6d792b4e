// One daemon a name, also while several are being started at once, and whichever pid file each is given.
import { findDaemon } from '../../daemon/control.js';
import { type AlreadyRunningError, alreadyRunning } from '../../daemon/errors.js';
import { PidFile } from '../../daemon/pid-file.js';
import { coded } from '../errors.js';
import { duration } from '../output/format.js';
import type { DaemonFiles, DaemonRecord } from './record.js';
import { readStatus } from './status-file.js';

/**
 * The lock of the daemon's pid file, to be handed to its keeper, and that of its name while it is being started. The two
 * are one unless it has a pid file elsewhere.
 */
export class Locks {
  readonly pidFile: PidFile;
  readonly #ofName: PidFile;

  private constructor(ofName: PidFile, pidFile: PidFile) {
    this.#ofName = ofName;
    this.pidFile = pidFile;
  }

  /** @throws ERR_ALREADY_RUNNING with the program's `pid`, and `startedAt` */
  static take(files: DaemonFiles, record: DaemonRecord): Locks {
    try {
      const ofName = PidFile.lock(files.pidFile);
      try {
        refuseElsewhere(files, record);
        return new Locks(ofName, record.pidFile === files.pidFile ? ofName : PidFile.lock(record.pidFile));
      } catch (error) {
        ofName.release();
        throw error;
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_ALREADY_RUNNING') throw error;
      throw refusal(files, error as AlreadyRunningError);
    }
  }

  /** After the keeper has got its copy of the pid file's. */
  handOver(): void {
    this.letGoOfName();
    this.pidFile.close();
  }

  /** Without a trace where another file is the daemon's. */
  letGoOfName(): void {
    if (this.#ofName !== this.pidFile) this.#ofName.release();
  }

  /** After a start that failed. */
  release(): void {
    this.pidFile.release();
    this.#ofName.release();
  }
}

/** A daemon of this name may run with the pid file that an earlier start gave it. */
function refuseElsewhere(files: DaemonFiles, record: DaemonRecord): void {
  const { pidFile } = files.record() ?? record;
  if (pidFile === files.pidFile || pidFile === record.pidFile) return;
  const running = findDaemon(pidFile);
  if (!running) return;
  running.close();
  throw alreadyRunning(pidFile, running.pid, running.startedAt);
}

function refusal(files: DaemonFiles, { code, path, pid: keeper, startedAt }: AlreadyRunningError): Error {
  const pid = readStatus(files.status)?.pid ?? keeper;
  const more = { path, ...(pid ? { pid } : {}), ...(startedAt ? { startedAt } : {}) };
  if (keeper === undefined || !startedAt)
    return coded(code, `${files.name}: is just being started by another process`, more);
  const since = `since ${startedAt.toISOString()} (${duration(Date.now() - startedAt.getTime())})`;
  return coded(code, `${files.name}: already running ${since}, pid ${pid}`, more);
}
