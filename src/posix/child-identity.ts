// What Node remembers of its process, and what must not be the same in two.
import { randomInt, randomUUID } from 'node:crypto';
import inspector from 'node:inspector';

// Node draws random bytes for this many at a time, and hands them out in both processes.
const UUIDS_IN_BATCH = 128;
const INTS_IN_BATCH = 1024;

/** In a forked child: makes it differ from its parent where it has to. */
export function becomeChild(pid: number): void {
  // A data property, filled in when the process started.
  Object.defineProperty(process, 'pid', { value: pid, enumerable: true, configurable: true, writable: false });
  for (let i = 0; i < UUIDS_IN_BATCH; i++) randomUUID();
  for (let i = 0; i < INTS_IN_BATCH; i++) randomInt(2);
  // Both would accept debuggers at one port.
  if (inspector.url() !== undefined) inspector.close();
}
