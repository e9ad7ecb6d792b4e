import { closeSync } from 'node:fs';
import { atfork } from '../posix/atfork.js';
import { pipe } from '../posix/descriptor.js';
import { forkExec } from '../posix/exec.js';
import { openProcess, type ProcessHandle } from '../posix/process-handle.js';
import { keeperPath } from './keeper.js';
import type { LogFileStyle } from './log-file.js';
import type { LogOptions } from './options.js';

const MIN_LIFE_MS = 1000;

/**
 * The process that takes a daemon's lines and writes them to a log of several files. A process rather than a thread: what
 * a daemon said right before it was killed is still in the pipe, and gets written. It ends when nobody is left that
 * could write.
 */
export class Logger {
  readonly #name: string;
  readonly #log: Required<LogOptions>;
  readonly #style: LogFileStyle;
  // The end that is read from is kept here as well: what is written while a logger that died is replaced waits in the pipe.
  #readFd: number;
  #writeFd: number;
  #process: ProcessHandle | undefined;
  #startedAt = 0;
  readonly #forgetFork: () => void;

  /** @param name the daemon's, for `ps` */
  constructor(name: string, log: Required<LogOptions>, style: LogFileStyle) {
    this.#name = name;
    this.#log = log;
    this.#style = style;
    [this.#readFd, this.#writeFd] = pipe();
    this.#forgetFork = atfork({ child: () => this.#leaveToParent() });
    try {
      this.#start();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The end to write to; the caller closes it. */
  takeInput(): number {
    const fd = this.#writeFd;
    this.#writeFd = -1;
    return fd;
  }

  /** Has it open its file anew. */
  reopen(): void {
    this.#process?.signal('SIGHUP');
  }

  close(): void {
    this.#process?.close();
    this.#process = undefined;
    this.#closePipe();
    this.#forgetFork();
  }

  #start(): void {
    const { path, maxBytes, backups, timestamps } = this.#log;
    const { mode, uid, gid } = this.#style;
    const argv = [
      'log',
      '--name',
      this.#name,
      '--stdout-fd',
      '3',
      '--stdout',
      path,
      '--log-mode',
      `0${mode.toString(8)}`,
    ];
    argv.push('--max-bytes', `${maxBytes}`, '--backups', `${backups}`, ...(timestamps ? ['--timestamps'] : []));
    if (uid !== undefined && gid !== undefined) argv.push('--log-owner', `${uid}:${gid}`);
    const pid = forkExec(keeperPath(), { argv, stdio: ['null', 'null', 'null'], fds: { 3: this.#readFd }, cwd: '/' });
    const handle = openProcess(pid).unref();
    this.#process = handle;
    this.#startedAt = performance.now();
    void handle.wait().then(
      () => this.#replace(),
      // Closed, on purpose.
      () => {},
    );
  }

  #replace(): void {
    this.#process?.close();
    this.#process = undefined;
    if (this.#readFd === -1) return;
    // One that can't open its file ends at once, each time.
    const rest = Math.max(0, this.#startedAt + MIN_LIFE_MS - performance.now());
    setTimeout(() => this.#restart(), rest).unref();
  }

  #restart(): void {
    try {
      if (this.#readFd !== -1) this.#start();
    } catch {
      // Out of processes or memory for the moment.
      this.#replace();
    }
  }

  #leaveToParent(): void {
    this.#process?.close();
    this.#process = undefined;
    this.#closePipe();
  }

  #closePipe(): void {
    for (const fd of [this.#readFd, this.#writeFd]) if (fd !== -1) closeSync(fd);
    this.#readFd = -1;
    this.#writeFd = -1;
  }
}
