import { closeSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { atfork } from '../posix/atfork.js';
import { reasonOf } from './errors.js';
import type { Outputs } from './outputs.js';
import type { PidFile } from './pid-file.js';
import { type DaemonEnd, send } from './report.js';

let current: Daemon | undefined;

/** The daemon that this process, or the one it was forked from, has become. */
export function currentDaemon(): Daemon | undefined {
  return current;
}

/** What is left to do for a daemon that has become one. Made by daemonize(). */
export class Daemon {
  /** This process's pid. */
  readonly pid = process.pid;
  readonly #name: string;
  readonly #outputs: Outputs;
  readonly #pidFile: PidFile | undefined;
  #starter: Starter | undefined;

  /** @internal */
  constructor(name: string, outputs: Outputs, pidFile: PidFile | undefined, end: DaemonEnd, manual: boolean) {
    this.#name = name;
    this.#outputs = outputs;
    this.#pidFile = pidFile;
    this.#starter = new Starter(name, end);
    current = this;
    // What is forked from the daemon has no starter, and must not speak in its name.
    atfork({ child: () => this.#forgetStarter() });
    // Before anybody hears of the daemon: a SIGHUP that comes at once would end it.
    if (outputs.reopenable) process.on('SIGHUP', () => this.#reopenOnHangup());
    if (manual) this.#starter.watch();
    else this.ready();
  }

  /**
   * Tells the starter that the daemon does its work, and lets it exit with 0. Calling it twice does nothing.
   *
   * If the starter is gone already, killed or interrupted, nobody would hear of the daemon: it exits with 1.
   */
  ready(): void {
    this.#starter?.tellReady();
    this.#starter = undefined;
  }

  /** Ends the daemon with 1; the starter, if it still waits, prints the reason and exits with 1 too. */
  fail(error: unknown): never {
    if (!this.#starter?.tellFailed(reasonOf(error))) writeSync(2, `${this.#name}: ${reasonOf(error)}\n`);
    process.exit(1);
  }

  /**
   * Opens the logs anew under the names they were given, as after a rotation. The new file takes the old one's place in
   * one step: no line is lost or split. SIGHUP does the same.
   *
   * @throws the system error of a log that can't be opened, which goes on in its old file
   */
  reopenLogs(): void {
    this.#outputs.reopen();
  }

  /** Removes the pid file and lets go of its lock: another daemon may start. It happens by itself at the exit. */
  release(): void {
    this.#pidFile?.release();
  }

  #forgetStarter(): void {
    this.#starter?.letGo();
    this.#starter = undefined;
  }

  #reopenOnHangup(): void {
    try {
      this.reopenLogs();
    } catch (error) {
      writeSync(2, `${this.#name}: the log can't be opened anew: ${reasonOf(error)}\n`);
    }
  }
}

/** The starter, as long as it waits: it hears of the daemon's end, and the daemon of its. */
class Starter {
  readonly #name: string;
  readonly #end: DaemonEnd;
  #lifeline: Socket | undefined;
  #reason: string | undefined;
  readonly #onGone = () => this.#abandon();
  readonly #onException = (error: unknown) => {
    this.#reason = (error instanceof Error && error.stack) || reasonOf(error);
  };
  readonly #onExit = (code: number) => {
    this.tellFailed(this.#reason ?? `the daemon exited with code ${code} before it was ready`);
  };

  constructor(name: string, end: DaemonEnd) {
    this.#name = name;
    this.#end = end;
    process.on('uncaughtExceptionMonitor', this.#onException);
    process.on('exit', this.#onExit);
  }

  /** For a daemon that takes its time to get ready: watches for the starter's end. */
  watch(): void {
    this.#lifeline = new Socket({ fd: this.#end.lifelineFd, readable: true, writable: false });
    this.#lifeline.unref().on('close', this.#onGone).resume();
  }

  tellReady(): void {
    try {
      send(this.#end.reportFd, { ready: true });
    } catch {
      this.#abandon();
    }
    this.letGo();
  }

  /** Whether it was there to hear it. */
  tellFailed(reason: string): boolean {
    try {
      send(this.#end.reportFd, { failed: reason });
      return true;
    } catch {
      return false;
    } finally {
      this.letGo();
    }
  }

  #abandon(): never {
    this.letGo();
    writeSync(2, `${this.#name}: the starter ended before the daemon was ready, and so does the daemon\n`);
    process.exit(1);
  }

  letGo(): void {
    process.off('uncaughtExceptionMonitor', this.#onException);
    process.off('exit', this.#onExit);
    if (this.#lifeline) this.#lifeline.off('close', this.#onGone).destroy();
    else closeSync(this.#end.lifelineFd);
    closeSync(this.#end.reportFd);
  }
}
