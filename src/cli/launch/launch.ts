// Starts a daemon: the keeper, which starts the program and tells when it runs.
import { closeSync } from 'node:fs';
import { keeperPath } from '../../daemon/keeper.js';
import { pipe } from '../../posix/descriptor.js';
import { forkExec } from '../../posix/exec.js';
import { coded } from '../errors.js';
import { endOf, lastLines } from '../logs/tail.js';
import { duration } from '../output/format.js';
import { telling } from '../output/waiting.js';
import { Locks } from '../state/locks.js';
import type { DaemonFiles, DaemonRecord } from '../state/record.js';
import type { Draft } from '../state/state-file.js';
import { keeperArguments } from './keeper-arguments.js';
import { type Report, readReport } from './report.js';

/** The descriptors' numbers in the keeper. */
const HANDED = { lock: 3, report: 4 } as const;

const SHOWN_LINES = 10;
const FATAL = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/**
 * Resolves to the program's pid when it runs. If anything fails nothing is left but what was there before.
 *
 * @throws ERR_ALREADY_RUNNING; a system error of the step that failed; ERR_PROGRAM_ENDED with `exitCode` or `signal` and
 * `lines`, the last that it logged, if it ended within `upMs`
 */
export async function launch(files: DaemonFiles, record: DaemonRecord): Promise<number> {
  const locks = Locks.take(files, record);
  let draft: Draft | undefined;
  try {
    draft = files.draft(record);
    const pid = await keep(files, record, locks, draft);
    draft.commit();
    locks.handOver();
    return pid;
  } catch (error) {
    draft?.discard();
    locks.release();
    throw error;
  }
}

async function keep(files: DaemonFiles, record: DaemonRecord, locks: Locks, draft: Draft): Promise<number> {
  const log = record.stderr;
  const logBefore = waitsForMore(record) && log !== undefined ? endOf(log) : 0;
  const [readFd, writeFd] = pipe();
  let report: Report;
  const unguard = guard(draft);
  try {
    forkExec(keeperPath(), {
      argv: keeperArguments(record, files, HANDED),
      env: record.env,
      // It stays for as long as the daemon does, and keeps no file system from being unmounted.
      cwd: '/',
      stdio: ['null', 'null', 'null'],
      fds: { [HANDED.lock]: locks.pidFile.fd, [HANDED.report]: writeFd },
      setsid: true,
      detach: true,
    });
    closeSync(writeFd);
    report = await telling(() => waitsFor(record), readReport(readFd));
  } finally {
    unguard();
    closeSync(readFd);
  }
  if ('pid' in report) return report.pid;
  if ('error' in report) throw report.error;
  throw programEnded(record, report, log === undefined ? [] : lastLines(log, SHOWN_LINES, logBefore));
}

/** If this process is told to end meanwhile, it leaves no draft; the keeper sees its pipe close and undoes the rest. */
function guard(draft: Draft): () => void {
  const end = (signal: NodeJS.Signals) => {
    unguard();
    draft.discard();
    process.kill(process.pid, signal);
  };
  const unguard = () => {
    for (const signal of FATAL) process.off(signal, end);
  };
  for (const signal of FATAL) process.once(signal, end);
  return unguard;
}

function waitsForMore({ upMs, readiness }: DaemonRecord): boolean {
  return upMs > 0 || readiness !== undefined;
}

function waitsFor({ name, upMs, readiness }: DaemonRecord): string {
  if (readiness) return `${name}: waiting until it is ready`;
  return upMs > 0 ? `${name}: waiting until it has been up for ${duration(upMs)}` : `${name}: waiting for its start`;
}

function programEnded(
  { name, upMs, readiness, readyTimeoutMs, stderr }: DaemonRecord,
  how: { exitCode: number } | { signal: string },
  lines: string[],
): Error {
  const end = 'exitCode' in how ? `exited with code ${how.exitCode}` : `was killed by ${how.signal}`;
  // The keeper kills it when its time is over, and tells no more than that.
  const killed = 'signal' in how && how.signal === 'SIGKILL';
  const late = killed && readyTimeoutMs ? ` (it may take ${duration(readyTimeoutMs)}, see --ready-timeout)` : '';
  const when = readiness ? `before it was ready${late}` : `within ${duration(upMs)}`;
  const message = `${name}: the program ${end} ${when}`;
  return coded('ERR_PROGRAM_ENDED', message, { ...how, ...(stderr ? { log: stderr } : {}), lines });
}
