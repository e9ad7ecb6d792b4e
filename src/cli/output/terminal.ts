// What people read: colour on terminals only, and none of the modules behind it before it is needed.
import { writeSync } from 'node:fs';
import { styleText } from 'node:util';

/** Prints to standard output, at once: process.stdout takes longer to load than a daemon to start. */
export function print(text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(1, bytes, written);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Somebody else made the pipe or terminal non-blocking, and it is full.
    if (code === 'EAGAIN') process.stdout.write(bytes.subarray(written));
    else if (code !== 'EPIPE') throw error;
  }
}

export function warn(text: string): void {
  process.stderr.write(`posix-daemon: ${text}\n`);
}

type Style = Parameters<typeof styleText>[0];

/** Colours for a stream: plain text if it is no terminal or NO_COLOR is set, and before Node 20.12, which has none. */
export function painter(stream: NodeJS.WriteStream): (style: Style, text: string) => string {
  // A pipe or a file has no such method.
  const coloured = stream.isTTY && stream.hasColors() && styleText !== undefined;
  return (style, text) => (coloured ? styleText(style, text) : text);
}
