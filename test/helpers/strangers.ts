// Other users of the machine. They need no entry in /etc/passwd.
import type { TestContext } from 'node:test';
import { type Running, startProgram } from './fixture.js';

/** An ordinary user who daemons run as, and one who wants them ill. */
export const HONEST = 2001;
export const HOSTILE = 2002;

export function as(uid: number): { uid: number; gid: number } {
  return { uid, gid: uid };
}

const LOCKS = {
  posix: 'fcntl.lockf(f, fcntl.LOCK_SH)',
  // F_OFD_SETLK of a struct flock
  ofd: 'fcntl.fcntl(f, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0))',
  flock: 'fcntl.flock(f, fcntl.LOCK_EX)',
} as const;
export type LockKind = keyof typeof LOCKS;
export const lockKinds = Object.keys(LOCKS) as LockKind[];

function python(t: TestContext, uid: number | undefined, lines: readonly string[], path: string): Running {
  const script = ['import fcntl, struct, sys, time', ...lines].join('\n');
  return startProgram(t, 'python3', ['-c', script, path], uid === undefined ? {} : as(uid));
}

/** Has somebody who may only read a file hold a lock on it, until the test ends. */
export async function lockToRead(t: TestContext, kind: LockKind, path: string, uid?: number): Promise<Running> {
  const lines = ['f = open(sys.argv[1])', LOCKS[kind], 'print("locked", flush=True)', 'sys.stdin.read()'];
  const stranger = python(t, uid, lines, path);
  await stranger.line();
  return stranger;
}

/** The same, taken and given back all the time. */
export async function lockOnAndOff(t: TestContext, path: string, uid?: number): Promise<Running> {
  const lines = [
    'print("begins", flush=True)',
    'while True:',
    '  try:',
    '    with open(sys.argv[1]) as f:',
    '      fcntl.lockf(f, fcntl.LOCK_SH | fcntl.LOCK_NB)',
    '      time.sleep(0.0002)',
    '  except OSError: pass',
  ];
  const stranger = python(t, uid, lines, path);
  await stranger.line();
  return stranger;
}
