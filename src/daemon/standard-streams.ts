// process.stdin, stdout and stderr after 0, 1 and 2 have become other files. Node chooses what these streams are, and opens a
// terminal a second time for them, when they are first used. Those used before are made to work on the new files and
// stay the same objects: the script, its loggers and the console keep references to them.
import { readSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

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

/** The streams that live on a handle of the old file. Looking makes those that weren't used: on the new file, as it is by now. */
function* onOldHandles<T extends Readable | Writable>(streams: readonly T[]): Iterable<T & Inside> {
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
  if (wasReading) stream.read(0);
}

/** To be called when 1 and 2 are the new files already. */
export function renewOutputs(): void {
  for (const stream of onOldHandles<Writable>([process.stdout])) writeTo(1, stream);
  for (const stream of onOldHandles<Writable>([process.stderr])) writeTo(2, stream);
}

/** To be called when 0 is the new file already. */
export function renewInput(): void {
  for (const stream of onOldHandles<Readable>([process.stdin])) readFrom(0, stream);
}
