import type { RawWaitStatus } from '../native.js';
import { type SignalName, signalName } from './signal-number.js';

/**
 * What a process and the children it waited for have used: the fields of `process.resourceUsage()` that Linux keeps,
 * in this package's units.
 *
 * @see getrusage(2)
 */
export interface ResourceUsage {
  /** Processor time in user code, in ms. */
  userMs: number;
  /** Processor time in the kernel, in ms. */
  systemMs: number;
  /** The largest resident set size, in bytes; of the largest process, not a sum. */
  maxRss: number;
  /** Page faults served without I/O. */
  minorPageFault: number;
  /** Page faults that needed I/O. */
  majorPageFault: number;
  /** How many times the file system had to read, in blocks of 512 bytes. */
  fsRead: number;
  /** How many times the file system had to write, in blocks of 512 bytes. */
  fsWrite: number;
  /** How often it gave the processor up, mostly to wait. */
  voluntaryContextSwitches: number;
  /** How often the processor was taken away. */
  involuntaryContextSwitches: number;
}

/** How a child ended, or that it stopped. */
export interface WaitStatus {
  pid: number;
  /** 0 to 255 if it exited, else null. */
  exitCode: number | null;
  /** The name of the signal that ended it, such as 'SIGKILL' or 'SIGRTMIN+3', else null. */
  signal: SignalName | null;
  /** Whether that signal left a core dump. */
  coreDumped: boolean;
  /** The name of the signal that stopped it, else null. Only waitpid with `untraced` reports a child that stopped. */
  stopped: SignalName | null;
  rusage: ResourceUsage;
}

export function toWaitStatus(raw: RawWaitStatus): WaitStatus {
  return {
    ...raw,
    signal: raw.signal === null ? null : signalName(raw.signal),
    stopped: raw.stopped === null ? null : signalName(raw.stopped),
  };
}
