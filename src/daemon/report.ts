// How a daemon that is being made and its starter talk: lines of JSON through one pipe, and a second pipe, never written
// to, by whose end the daemon learns that its starter has gone.
import { closeSync, readSync, writeSync } from 'node:fs';
import { native } from '../native.js';
import { pipe } from '../posix/descriptor.js';

/** What the daemon tells. `failed` is the text for the user. */
export type Report = { ready: true } | { failed: string };

/** The daemon's side: where it reports to, and what ends when the starter does. */
export interface DaemonEnd {
  reportFd: number;
  lifelineFd: number;
  starterPid: number;
  /** By exec, where the starter's own standard input and output are, if the daemon inherits them. */
  stdinFd?: number;
  stdoutFd?: number;
}

/** The starter's side. */
export interface StarterEnd {
  reportFd: number;
  lifelineFd: number;
}

export function openChannel(): { daemon: DaemonEnd; starter: StarterEnd } {
  const [reportRead, reportWrite] = pipe();
  try {
    const [lifelineRead, lifelineWrite] = pipe();
    return {
      daemon: { reportFd: reportWrite, lifelineFd: lifelineRead, starterPid: process.pid },
      starter: { reportFd: reportRead, lifelineFd: lifelineWrite },
    };
  } catch (error) {
    closeSync(reportRead);
    closeSync(reportWrite);
    throw error;
  }
}

export function closeEnd({ reportFd, lifelineFd }: StarterEnd): void {
  closeSync(reportFd);
  closeSync(lifelineFd);
}

/** @throws EPIPE if the starter is gone */
export function send(fd: number, report: Report): void {
  writeSync(fd, `${JSON.stringify(report)}\n`);
}

const CHUNK = 64 << 10;

/**
 * The next reports, waited for until a moment of performance.now(). The event loop stands still meanwhile: nothing of the
 * script may go on in a starter.
 *
 * @returns undefined when the time is over; ends when no process is left that could report
 */
export function* receive(fd: number, deadline: number): Generator<Report | undefined> {
  let text = '';
  const bytes = Buffer.allocUnsafe(CHUNK);
  for (;;) {
    const left = Math.max(0, Math.ceil(deadline - performance.now()));
    if (!native.waitReadable(fd, left)) yield undefined;
    const length = readSync(fd, bytes);
    if (length === 0) return;
    const lines = (text + bytes.toString('utf8', 0, length)).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) yield JSON.parse(line) as Report;
  }
}
