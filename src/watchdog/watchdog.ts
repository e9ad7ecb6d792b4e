import { forkSupport } from '../posix/fork.js';
import { mainThreadOnly } from '../posix/main-thread.js';
import { type WatchdogOptions, watchdogPlan } from './options.js';
import { supervise } from './supervise.js';
import type { Worker } from './worker.js';

/**
 * Makes this process a watchdog, and goes on in its workers only: each is a live fork of the process as it was at the call,
 * and so is each that takes the place of one that ended. What the script has loaded by then is loaded once.
 *
 * A worker that dies is back in milliseconds. A watchdog that dies, of SIGKILL too, takes its workers and all that they have
 * started along, whatever session it is in: between the two there is a keeper, a tiny native process.
 *
 * The watchdog's own event loop stands still from the call on: timers and sockets of the script go on in the workers.
 *
 * @throws ENOTSUP where forkSupport() says no; ERR_INVALID_ARG_TYPE and its kin; ERR_WORKER_UNSUPPORTED_OPERATION in a worker
 * thread
 */
export async function watchdog(options: WatchdogOptions = {}): Promise<Worker> {
  mainThreadOnly('watchdog', 'the process itself becomes the watchdog');
  const plan = watchdogPlan(options);
  const { supported, reason } = forkSupport();
  if (!supported) throw Object.assign(new Error(`ENOTSUP: ${reason}, watchdog`), { code: 'ENOTSUP', syscall: 'fork' });
  return supervise(plan);
}
