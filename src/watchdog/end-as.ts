import { constants } from 'node:os';
import { native } from '../native.js';
import { setrlimit } from '../posix/limits.js';
import { _exit } from '../posix/process.js';
import { signalNumber } from '../posix/signal-number.js';
import type { Ended } from './options.js';

/** Ends this process as another one has ended: with its exit code, or by its signal and without a core. */
export function endAs({ exitCode, signal }: Ended): never {
  if (signal === null) _exit(exitCode);
  const number = signalNumber('signal', signal);
  setrlimit('core', { soft: 0, hard: 0 });
  if (number !== constants.signals.SIGKILL) native.defaultSignals([number]);
  native.kill(process.pid, number);
  // As shells have it, where the signal doesn't kill: in the first process of a container.
  _exit(128 + number);
}
