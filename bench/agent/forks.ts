// One sample each of the three ways to another process. Every time stamp is taken before anything is done to tell it.
import { fork as childFork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { _exit, fork, waitpid } from 'posix-daemon';
import { milliseconds, now } from './clock.js';

/** Milliseconds since the call. */
export interface ForkSample {
  /** Until the parent's call had returned. */
  returned: number;
  /** Until the child ran its first statement, or instruction. */
  child: number;
}

interface NativeBench {
  /** What `fork()` cannot be faster than; see native/raw_clone.cc. */
  rawClone(): ForkSample;
}

const firstStatement = fileURLToPath(new URL('./first-statement.cjs', import.meta.url));
// From out/bench/agent to what `lib/native.ts` builds.
const nativePath = fileURLToPath(new URL('../../../bench/native/build/Release/bench.node', import.meta.url));
const require = createRequire(import.meta.url);

/** A file without a name, which a child inherits to leave its time stamp in. */
function openStampFile(): number {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-bench-'));
  const fd = openSync(join(folder, 'stamp'), 'w+');
  rmSync(folder, { recursive: true });
  return fd;
}

let stampFile: number | undefined;
const stamp = new BigInt64Array(1);

/** fork(): the child's first statement is the time stamp. */
export function forkSample(): ForkSample {
  stampFile ??= openStampFile();
  const start = now();
  const pid = fork();
  const returned = now();
  if (pid === 0) {
    stamp[0] = returned;
    writeSync(stampFile, stamp, 0, 8, 0);
    _exit(0);
  }
  const status = waitpid(pid);
  if (status?.exitCode !== 0) throw new Error('the forked child did not end with 0');
  readSync(stampFile, stamp, 0, 8, 0);
  return { returned: milliseconds(start, returned), child: milliseconds(start, stamp[0] as bigint) };
}

/** child_process.fork() of a program whose first statement is the time stamp. */
export async function childForkSample(): Promise<ForkSample> {
  const start = now();
  const child = childFork(firstStatement);
  const returned = now();
  const message = once(child, 'message');
  const [exitCode, signal] = await once(child, 'exit');
  if (exitCode !== 0) throw new Error(`the child of child_process.fork ended with ${signal ?? exitCode}`);
  const [text] = await message;
  return { returned: milliseconds(start, returned), child: milliseconds(start, BigInt(text)) };
}

/** The bare system call. */
export function rawCloneSample(): ForkSample {
  return (require(nativePath) as NativeBench).rawClone();
}
