// The end of a log file, read from behind.
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

const CHUNK = 64 * 1024;
const NEWLINE = 0x0a;

/** The size of a log that may not be there yet. */
export function endOf(path: string): number {
  const fd = openIfThere(path);
  if (fd === undefined) return 0;
  try {
    return fstatSync(fd).size;
  } finally {
    closeSync(fd);
  }
}

/** The last lines of a file between two positions; of a file that isn't there none. */
export function lastLines(path: string, count: number, start = 0, end = Number.POSITIVE_INFINITY): string[] {
  const fd = openIfThere(path);
  if (fd === undefined) return [];
  try {
    return tail(fd, count, start, Math.min(end, fstatSync(fd).size));
  } finally {
    closeSync(fd);
  }
}

/** The last lines of a log; where it has just been rotated those before them are in its backups. */
export function lastLinesWithBackups(path: string, count: number, end?: number): string[] {
  let lines = lastLines(path, count, 0, end);
  for (let i = 1; lines.length < count; i++) {
    const backup = `${path}.${i}`;
    if (!existsSync(backup)) break;
    lines = [...lastLines(backup, count - lines.length), ...lines];
  }
  return lines;
}

export function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function tail(fd: number, count: number, start: number, end: number): string[] {
  const chunks: Buffer[] = [];
  let from = end;
  // One more newline than lines: the one before the first of them.
  for (let newlines = 0; from > start && newlines <= count; ) {
    const chunk = readAt(fd, Math.max(start, from - CHUNK), from);
    if (chunk.length === 0) break;
    from -= chunk.length;
    newlines += chunk.filter((byte) => byte === NEWLINE).length;
    chunks.unshift(chunk);
  }
  const lines = Buffer.concat(chunks).toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  return count === 0 ? [] : lines.slice(-count);
}

function readAt(fd: number, from: number, to: number): Buffer {
  const chunk = Buffer.alloc(to - from);
  let length = 0;
  while (length < chunk.length) {
    const more = readSync(fd, chunk, length, chunk.length - length, from + length);
    if (more === 0) break; // truncated meanwhile
    length += more;
  }
  return chunk.subarray(0, length);
}
