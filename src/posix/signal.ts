import { native } from '../native.js';
import { type SignalName, signalName, signalNumber } from './signal-number.js';
import * as validate from './validate.js';

const INT32_MIN = -0x80000000;
const INT32_MAX = 0x7fffffff;

// Glibc's own (32 and 33) are taken out of any mask by glibc itself, the other two by the kernel, both without a word.
const UNBLOCKABLE: readonly SignalName[] = ['SIGKILL', 'SIGSTOP', 'SIG32', 'SIG33'];

/**
 * Sends a signal, as POSIX has it. A pid can be another process's by the time the signal gets there, once the one it
 * belonged to has been waited for; openProcess() gives a handle that can't go wrong so.
 *
 * @param pid positive: that process. 0: **every process of the caller's group, the caller included**.
 * -1: **every process the caller may signal**, except process 1 and itself. Less: every process of the group `-pid`.
 * @param signal by name or number; 0 sends nothing and only checks that the process exists and may be signalled
 * @throws ESRCH if there is no such process or group (a zombie still counts); EPERM if there is, but none of it may be
 * signalled; ERR_UNKNOWN_SIGNAL
 * @see kill(2)
 */
export function kill(pid: number, signal: SignalName | number): void {
  validate.integer('pid', pid, INT32_MIN, INT32_MAX);
  native.kill(pid, signalNumber('signal', signal, { allowZero: true }));
}

/**
 * The signals that the calling thread blocks: the main thread's, or the worker's that calls. Node's other threads have
 * masks of their own.
 *
 * @see pthread_sigmask(3)
 */
export function getSignalMask(): SignalName[] {
  return native.getSignalMask().map(signalName);
}

/**
 * Replaces the set of signals that the calling thread blocks. A signal to the process that this thread blocks goes to
 * another thread that doesn't, and Node's helper threads, made at its start, don't: by itself this keeps no signal
 * away. Threads and forked children inherit the mask, and an exec keeps it; child_process starts its programs with an
 * empty one.
 *
 * @param signals by name or number; the empty array blocks none
 * @returns the signals that were blocked before
 * @throws ERR_INVALID_ARG_VALUE for SIGKILL and SIGSTOP, and for the two that the C library keeps to itself (32, 33):
 * none of them can be blocked; ERR_UNKNOWN_SIGNAL
 * @see pthread_sigmask(3)
 */
export function setSignalMask(signals: readonly (SignalName | number)[]): SignalName[] {
  if (!Array.isArray(signals)) throw validate.invalidType('signals', 'an array of signal names or numbers', signals);
  const numbers = Array.from(signals, (signal: unknown, i) => {
    const number = signalNumber(`signals[${i}]`, signal);
    if (UNBLOCKABLE.includes(signalName(number))) {
      throw validate.invalidValue(
        `signals[${i}]`,
        `a signal that can be blocked, not ${UNBLOCKABLE.join(', ')}`,
        signal,
      );
    }
    return number;
  });
  return native.setSignalMask(numbers).map(signalName);
}

/**
 * Undoes what a parent or another addon left behind: each *ignored* signal gets its default disposition again, and the
 * calling thread blocks none any more.
 *
 * Handlers stay: Node's own, and those behind `process.on('SIGTERM', …)`. So do SIGPIPE and SIGXFSZ, which Node ignores
 * for itself, so that writing to a closed socket fails with EPIPE instead of ending the process. Node resets the
 * dispositions it inherits (also the SIGHUP that nohup(1) ignored) and empties its mask when it starts: only what
 * happened since can be left. For a program about to be started see `resetSignals` of forkExec().
 *
 * @see sigaction(2), pthread_sigmask(3)
 */
export function resetSignals(): void {
  native.resetSignals();
}
