import { writeSync } from 'node:fs';
import { forkDetached, forkSupport } from '../posix/fork.js';
import { mainThreadOnly } from '../posix/main-thread.js';
import { getChildSubreaper, setChildSubreaper } from '../posix/prctl.js';
import { _exit } from '../posix/process.js';
import { umask } from '../posix/session.js';
import { resetSignals } from '../posix/signal.js';
import { Daemon } from './daemon.js';
import { daemonEnvironment, takeOnEnvironment } from './environment.js';
import { coded, reasonOf } from './errors.js';
import { folderConcern } from './folder.js';
import { runAgain, takeHandover, withInherited } from './handover.js';
import type { DaemonizeOptions } from './options.js';
import { checkDescriptors, Outputs } from './outputs.js';
import { PidFile } from './pid-file.js';
import { activationFds, type DaemonPlan, daemonPlan } from './plan.js';
import { closeEnd, type DaemonEnd, openChannel, send } from './report.js';
import { standBy } from './starter.js';
import { closeInherited, setLimits, settle, takeOnTitle } from './steps.js';

// Of this process and, as memory goes, of those forked from it.
let daemonized = false;

/**
 * Makes a daemon of this process, and returns in the daemon only. The process it was called in, the starter, waits until
 * the daemon is ready and exits with 0; or prints why it isn't and exits with 1, and nothing is left behind.
 *
 * By live fork the daemon has all the state of the script at the call: servers that listen, files, timers. By exec the
 * script runs a second time, with the same arguments, and becomes the daemon when it comes to the call.
 *
 * What daemon(7) of systemd demands of a SysV daemon, in this order (its numbers in brackets):
 *
 * - fork() [5], setsid() [6], fork() [7], and the first child's exit [8]: a session without a terminal, not led by the
 *   daemon, which init adopts;
 * - ignored signals get their default effect and none is blocked [2, 3]; listeners of the script stay;
 * - the environment is cleaned, in /proc/PID/environ too [4]; see `env`;
 * - `umask` [10];
 * - the pid file is made, locked and written [12]; see PidFile;
 * - logs are opened or made; limits, nice value and OOM score are set, then the title;
 * - `stdin`, `stdout` and `stderr` take the place of 0, 1 and 2, /dev/null by default [9]; process.stdin, process.stdout,
 *   process.stderr and the console work on them, also if they had been used on a terminal or a pipe;
 * - descriptors that the starter was given are closed, except for 0 to 2 and `keepFds` [1]; an IPC channel, too;
 * - the root directory, then groups, group and user [13], in every thread, with a check that root can't be regained;
 * - the working directory [11];
 * - the starter is told [14] and exits [15].
 *
 * SIGHUP reopens logs. The starter's 'exit' handlers run only if the start fails; the daemon's when it exits. A starter that
 * is killed or interrupted takes a daemon along that isn't ready yet.
 *
 * As the first process of a container the starter can't exit without everything ending: it stays, passes signals on, reaps
 * orphans, and exits as the daemon does.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE (an unknown option, user or group), ERR_OUT_OF_RANGE;
 * ERR_ALREADY_DAEMONIZED; ENOTSUP where `mode` is 'fork' and forkSupport() says no; EBADF for a descriptor that isn't open;
 * what fork() or forkExec() throw: all of these in the caller, with nothing changed. Whatever fails later makes the
 * starter exit with 1.
 * @throws ERR_WORKER_UNSUPPORTED_OPERATION in a Worker
 * @see daemon(7), and PidFile, findDaemon()
 */
export function daemonize(options: DaemonizeOptions = {}): Daemon {
  mainThreadOnly('daemonize', 'the starter exits, and with it every thread');
  if (daemonized) throw coded('ERR_ALREADY_DAEMONIZED', 'daemonize() has made a daemon of this process already');
  const plan = daemonPlan(options);
  const end = takeHandover();
  if (end) return becomeDaemon(withInherited(plan, end), end);

  checkDescriptors(plan);
  warnOfFolder(plan);
  if (plan.mode === 'exec' || (plan.mode === 'auto' && !forkSupport().supported)) return startByExec(plan);
  return startByFork(plan);
}

// Told by the starter, at once: a warning emitted by the daemon would go to its log.
function warnOfFolder({ name, pidFile }: DaemonPlan): void {
  if (pidFile === undefined) return;
  let concern: string | undefined;
  try {
    concern = folderConcern(pidFile);
  } catch {
    // No such folder, for one: making the file will fail, and tell.
  }
  if (concern) writeSync(2, `${name}: warning: ${concern}\n`);
}

function startByExec(plan: DaemonPlan): never {
  const channel = openChannel();
  const wasSubreaper = getChildSubreaper();
  let pid: number;
  try {
    setChildSubreaper(true);
    pid = runAgain(plan, channel.daemon);
  } catch (error) {
    setChildSubreaper(wasSubreaper);
    closeEnd(channel.starter);
    throw error;
  } finally {
    closeEnd(channel.daemon);
  }
  standBy(plan, channel.starter, pid);
}

function startByFork(plan: DaemonPlan): Daemon {
  const channel = openChannel();
  const wasSubreaper = getChildSubreaper();
  let pid: number;
  try {
    // The daemon, an orphan as soon as the first child exits, becomes this process's child: then its end can be told.
    setChildSubreaper(true);
    pid = forkDetached();
  } catch (error) {
    setChildSubreaper(wasSubreaper);
    closeEnd(channel.starter);
    closeEnd(channel.daemon);
    throw error;
  }
  if (pid !== 0) {
    closeEnd(channel.daemon);
    standBy(plan, channel.starter, pid);
  }
  closeEnd(channel.starter);
  return becomeDaemon(plan, channel.daemon);
}

function giveUp({ reportFd }: DaemonEnd, error: unknown): never {
  try {
    send(reportFd, { failed: reasonOf(error) });
  } catch {
    // The starter is gone as well.
  }
  _exit(1);
}

// Descriptors of systemd's socket activation come with the pid they are meant for: it is this process's now.
function keptFds({ keepFds }: DaemonPlan, { starterPid }: DaemonEnd): readonly number[] {
  if (keepFds) return keepFds;
  const passed = activationFds(process.env, starterPid);
  if (passed.length > 0) process.env.LISTEN_PID = `${process.pid}`;
  return passed;
}

function becomeDaemon(plan: DaemonPlan, end: DaemonEnd): Daemon {
  let pidFile: PidFile | undefined;
  let outputs: Outputs | undefined;
  try {
    resetSignals();
    const keep = keptFds(plan, end);
    takeOnEnvironment(daemonEnvironment(plan));
    umask(plan.umask);
    if (plan.pidFile !== undefined) pidFile = PidFile.acquire(plan.pidFile, { mode: plan.pidFileMode });
    outputs = new Outputs(plan);
    setLimits(plan);
    takeOnTitle(plan);
    outputs.redirect();
    closeInherited([...keep, end.reportFd, end.lifelineFd]);
    settle(plan);
  } catch (error) {
    pidFile?.release();
    outputs?.undo();
    giveUp(end, error);
  }
  daemonized = true;
  return new Daemon(plan.name, outputs, pidFile, end, plan.manual);
}
