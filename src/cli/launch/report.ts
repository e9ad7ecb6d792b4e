// The one line that the keeper sends its starter.
import { read } from 'node:fs';
import { signalName } from '../../posix/signal-number.js';
import { systemError } from '../../posix/system-error.js';
import { coded } from '../errors.js';

export type Report = { pid: number } | { error: Error } | { exitCode: number } | { signal: string };

const LONGEST = 8192;

/** Reads until the keeper has said its line, or has ended without. */
export async function readReport(fd: number): Promise<Report> {
  const buffer = Buffer.alloc(LONGEST);
  let length = 0;
  while (!buffer.subarray(0, length).includes('\n') && length < LONGEST) {
    const more = await new Promise<number>((resolve, reject) => {
      read(fd, buffer, length, LONGEST - length, null, (error, count) => (error ? reject(error) : resolve(count)));
    });
    if (more === 0) break;
    length += more;
  }
  return understand(buffer.toString('utf8', 0, length));
}

function understand(line: string): Report {
  const [, word, value, rest = ''] = /^(\w+) (\d+)(?: (.*))?\n$/s.exec(line) ?? [];
  const number = Number(value);
  switch (word) {
    case 'ready':
      return { pid: number };
    case 'exited':
      return { exitCode: number };
    case 'killed':
      return { signal: signalName(number) };
    case 'error':
      return { error: failureAt(number, rest) };
    default:
      return { error: coded('ERR_KEEPER_LOST', 'the keeper ended before it could tell whether the program runs') };
  }
}

/** `STEP PATH` of a system call that failed in the keeper or on the way to the program. */
function failureAt(errno: number, where: string): Error {
  const [step = '', path] = where.split(/ (.*)/s);
  return systemError(errno, step, path);
}
