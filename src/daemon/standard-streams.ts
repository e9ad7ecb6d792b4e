// process.stdin, stdout and stderr after 0, 1 and 2 have become other files. Node chooses what these streams are, and opens a
// terminal a second time for them, when they are first used. Those used before are made to work on the new files and
// stay the same objects: the script, its loggers and the console keep references to them.
import { fstatSync, readSync, type Stats, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { isatty } from 'node:tty';

interface Handle {
  close(): void;
  readStop?(): void;
}

/** What Node's terminal and pipe streams have beyond their documented face. */
interface Inside {
  _handle: Handle | null;
  _type?: string;
  _refreshSize?: () => void;
  fd?: number;
}

/** Those that live on a handle of the old file. One that wasn't used is made by being looked at: on the new file, as it is by now. */
function* onOldHandles<T extends object>(streams: readonly T[]): Iterable<T & Inside> {
  for (const stream of streams) if (stream instanceof Socket) yield stream as unknown as T & Inside;
}

function dropHandle(stream: Inside): void {
  stream._handle?.readStop?.();
  // Closes the terminal that libuv opened for itself; it never closes 0, 1 and 2.
  stream._handle?.close();
  stream._handle = null;
}

function forgetTerminal(stream: Inside): void {
  Object.defineProperty(stream, 'isTTY', { value: undefined, configurable: true, writable: true });
  for (const name of ['columns', 'rows']) Reflect.deleteProperty(stream, name);
  Object.assign(stream, { getColorDepth: () => 1, hasColors: () => false, getWindowSize: () => [0, 0] });
  // Node calls it at every SIGWINCH.
  stream._refreshSize = () => {};
}

function writeAll(fd: number, chunk: Buffer): void {
  for (let written = 0; written < chunk.length; ) written += writeSync(fd, chunk, written);
}

function writeTo(fd: number, stream: Writable & Inside): void {
  dropHandle(stream);
  forgetTerminal(stream);
  stream._type = 'fs';
  stream.fd = fd;
  stream._write = (chunk, encoding, done) => {
    try {
      writeAll(fd, typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  };
  Object.assign(stream, { _writev: undefined, _final: (done: () => void) => done() });
}

const CHUNK = 64 << 10;

function readFrom(fd: number, stream: Readable & Inside): void {
  const wasReading = stream.readableFlowing === true;
  dropHandle(stream);
  forgetTerminal(stream);
  stream.fd = fd;
  Object.assign(stream, { isRaw: undefined, setRawMode: () => stream });
  stream._read = () => {
    try {
      const bytes = Buffer.allocUnsafe(CHUNK);
      const length = readSync(fd, bytes);
      stream.push(length === 0 ? null : bytes.subarray(0, length));
    } catch (error) {
      stream.destroy(error as Error);
    }
  };
  // A read is under way on the old handle, whose answer won't come.
  const state = (stream as unknown as { _readableState: { reading: boolean } })._readableState;
  state.reading = false;
  // Later: what is to be read isn't there yet.
  if (wasReading) process.nextTick(() => stream.read(0));
}

function statOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    return undefined;
  }
}

/** Whether a stream on what is at 0, 1 or 2 now would be one on a handle: files and /dev/null are read and written directly. */
function takesHandle(fd: number): boolean {
  const file = statOf(fd);
  return file !== undefined && !file.isFile() && (!file.isCharacterDevice() || isatty(fd));
}

/**
 * To be called before some of 0, 1 and 2 are replaced.
 *
 * @returns what is to be called when /dev/null is there
 */
export function prepareStreams(replaced: readonly number[]): () => void {
  const [input, output, error] = [0, 1, 2].map((fd) => replaced.includes(fd) && takesHandle(fd));
  return () => {
    if (input) for (const stream of onOldHandles([process.stdin])) readFrom(0, stream);
    if (output) for (const stream of onOldHandles([process.stdout])) writeTo(1, stream);
    if (error) for (const stream of onOldHandles([process.stderr])) writeTo(2, stream);
  };
}
