// What a watchdog tells of its pool, in a file in memory that its workers have open: to ask costs it nothing, and no waiting.
import { readFileSync, readSync, writeSync } from 'node:fs';
import { native } from '../native.js';
import type { Guarantee } from './guarantee.js';
import type { Ended } from './options.js';
import type { Pool } from './pool.js';
import type { Slot } from './slot.js';

export interface PoolStatus {
  /** The watchdog's. */
  pid: number;
  guarantee: Guarantee;
  /** The pid of the worker that has been forked in advance, if there is one. */
  standbyPid?: number;
  workers: PoolMember[];
}

export interface PoolMember {
  /** From 1 on. */
  index: number;
  /**
   * 'starting' until it is ready; 'stopping' when it was asked to end; 'waiting' for its next start; 'finished' when there will
   * be none, 'givenUp' when there were too many.
   */
  state: 'starting' | 'running' | 'stopping' | 'waiting' | 'finished' | 'givenUp';
  /** While it runs. */
  pid?: number;
  /** When the one that runs was started, in ms since 1970. */
  startedAt?: number;
  /** Resident. */
  rssBytes?: number;
  /** How often another one has taken its place. */
  restarts: number;
  /** How the last one ended; `endedAt` in ms since 1970. */
  lastExit?: Ended & { endedAt: number };
}

function stateOf({ running, startAt, givenUp }: Slot): PoolMember['state'] {
  if (running?.reason || running?.ended) return 'stopping';
  if (running) return running.isReady ? 'running' : 'starting';
  if (startAt !== Infinity) return 'waiting';
  return givenUp ? 'givenUp' : 'finished';
}

function memberOf(slot: Slot): PoolMember {
  const { index, running, restarts, lastExit } = slot;
  return {
    index,
    state: stateOf(slot),
    ...(running ? { pid: running.pid, startedAt: running.startedAtDate } : {}),
    restarts,
    ...(lastExit ? { lastExit } : {}),
  };
}

export function statusOf(pool: Pool, guarantee: Guarantee): PoolStatus {
  const standbyPid = pool.spare.running?.pid;
  return {
    pid: process.pid,
    guarantee,
    ...(standbyPid === undefined ? {} : { standbyPid }),
    workers: pool.slots().map(memberOf),
  };
}

// A sequence number, odd while the text behind it is being written (a sequence lock), and the text's length.
const HEADER_BYTES = 8;
const TRIES = 1000;

/** The file, as the watchdog writes it and its workers read it. */
export class StatusBoard {
  readonly fd = native.memfd('posix-daemon-status');
  #sequence = 0;
  #shown = '';

  /** As far as it can: for want of memory the next one is shown, and until then none. */
  show(status: PoolStatus): void {
    const text = JSON.stringify(status);
    if (text === this.#shown) return;
    try {
      this.#write(Buffer.from(text));
      this.#shown = text;
    } catch {
      this.#shown = '';
    }
  }

  #write(bytes: Buffer): void {
    this.#writeHeader(this.#sequence + 1, 0);
    writeSync(this.fd, bytes, 0, bytes.length, HEADER_BYTES);
    this.#sequence = (this.#sequence + 2) % 2 ** 32;
    this.#writeHeader(this.#sequence, bytes.length);
  }

  #writeHeader(sequence: number, length: number): void {
    writeSync(this.fd, new Uint32Array([sequence, length]), 0, HEADER_BYTES, 0);
  }
}

/** @throws EAGAIN if the watchdog was stopped while it was writing, or has no memory for it */
export function readBoard(fd: number): PoolStatus {
  for (let tries = 0; tries < TRIES; tries++) {
    const text = readOnce(fd);
    if (text !== undefined) return withMemory(JSON.parse(text));
  }
  throw Object.assign(new Error('EAGAIN: the watchdog has not written its status to its end, status'), {
    code: 'EAGAIN',
    syscall: 'status',
  });
}

function readHeader(fd: number): [sequence: number, length: number] {
  const header = new Uint32Array(2);
  readSync(fd, header, 0, HEADER_BYTES, 0);
  return [header[0] as number, header[1] as number];
}

function readOnce(fd: number): string | undefined {
  const [sequence, length] = readHeader(fd);
  if (sequence % 2 === 1 || length === 0) return undefined;
  const bytes = Buffer.alloc(length);
  readSync(fd, bytes, 0, length, HEADER_BYTES);
  return readHeader(fd)[0] === sequence ? bytes.toString() : undefined;
}

function withMemory(status: PoolStatus): PoolStatus {
  for (const member of status.workers) {
    const rssBytes = member.pid === undefined ? undefined : residentBytes(member.pid);
    if (rssBytes !== undefined) member.rssBytes = rssBytes;
  }
  return status;
}

function residentBytes(pid: number): number | undefined {
  try {
    const kiB = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return kiB === undefined ? undefined : Number(kiB) * 1024;
  } catch {
    return undefined; // it has just ended
  }
}
