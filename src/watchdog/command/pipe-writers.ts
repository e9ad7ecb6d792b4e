import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { openProcess, type ProcessHandle } from '../../posix/process-handle.js';

/** The kernel shows in the mode of the link how the file was opened. */
const WRITABLE = 0o200;

/**
 * Opens the processes whose standard input is the writing end of a pipe, as far as they can be seen.
 *
 * A process that was stopped right after its fork has said nothing of itself, and its parent, which knew it, may be dead:
 * then what it has open is the only thing that tells whose it is. The kernel has no event nor index for that, so all
 * processes are looked through, which is a matter of milliseconds.
 */
export function openWritersOf(inode: number): ProcessHandle[] {
  const pipe = `pipe:[${inode}]`;
  return numericEntries('/proc').flatMap((pid) => (isWriter(pid, pipe) ? open(pid, pipe) : []));
}

function numericEntries(folder: string): number[] {
  try {
    return readdirSync(folder).map(Number).filter(Number.isInteger);
  } catch {
    return []; // it isn't mounted
  }
}

function isWriter(pid: number, pipe: string): boolean {
  const input = `/proc/${pid}/fd/0`;
  try {
    return readlinkSync(input) === pipe && (lstatSync(input).mode & WRITABLE) !== 0;
  } catch {
    return false; // it has ended, or is another user's
  }
}

function open(pid: number, pipe: string): ProcessHandle[] {
  let handle: ProcessHandle | undefined;
  try {
    handle = openProcess(pid).unref();
  } catch {
    return [];
  }
  // Not another process that has its pid by now.
  if (isWriter(pid, pipe)) return [handle];
  handle.close();
  return [];
}
