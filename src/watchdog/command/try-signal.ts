import type { ProcessHandle } from '../../posix/process-handle.js';

/** Sends a signal, unless the process has ended, the handle was closed, or it is another user's. */
export function trySignal(handle: ProcessHandle, signal: NodeJS.Signals): void {
  try {
    handle.signal(signal);
  } catch {
    // Each of these says that there is nothing left to do here.
  }
}
