import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

/**
 * Writes a line to standard error, if that can be: a pipe that nobody reads any more (EPIPE), a terminal that has been hung up
 * (EIO), or one that is full and doesn't wait (EAGAIN) must end neither the watchdog nor its workers.
 */
export function complain(text: string): void {
  try {
    writeSync(2, `${text}\n`);
  } catch {
    // There is nobody else to tell.
  }
}

/** What is thrown, for the log: whatever it is. */
export function explained(error: unknown): string {
  return error instanceof Error ? `${error.stack}` : inspect(error);
}
