import { closeSync, fstatSync, openSync, unlinkSync } from 'node:fs';
import { dup, dup2 } from '../posix/descriptor.js';
import { type LogFileStyle, openLog } from './log-file.js';
import { Logger } from './logger.js';
import type { Output } from './option-values.js';
import type { LogOptions } from './options.js';
import { type DaemonPlan, namedDescriptors } from './plan.js';
import { prepareStreams } from './standard-streams.js';

type Log = Required<LogOptions>;

/** A log, and which of 1 and 2 go to it. */
interface Stream {
  log: Log;
  targets: number[];
}

function streamsOf(outputs: readonly Output[]): Stream[] {
  const streams: Stream[] = [];
  outputs.forEach((output, i) => {
    if (output.kind !== 'log') return;
    const { log } = output;
    const shared = streams.find((stream) => stream.log.path === log.path);
    if (shared) shared.targets.push(i + 1);
    else streams.push({ log, targets: [i + 1] });
  });
  return streams;
}

/** Whether lines have to pass through a process of ours on their way to the file. */
function needsLogger({ maxBytes, timestamps }: Log): boolean {
  return maxBytes > 0 || timestamps;
}

/** Where 0, 1 and 2 of a daemon go. */
export class Outputs {
  readonly #plan: DaemonPlan;
  readonly #style: LogFileStyle;
  readonly #streams: Stream[];
  readonly #created: string[] = [];
  readonly #loggers: Logger[] = [];
  #opened: { fd: number; targets: number[] }[] = [];

  /** Opens the logs, with the rights of the moment, and changes nothing yet. */
  constructor(plan: DaemonPlan) {
    this.#plan = plan;
    this.#style = { mode: plan.logFileMode, uid: plan.credentials.uid, gid: plan.credentials.gid };
    this.#streams = streamsOf(plan.outputs);
    try {
      for (const stream of this.#streams) this.#open(stream);
    } catch (error) {
      this.undo();
      throw error;
    }
  }

  /** Removes what was made for nothing. */
  undo(): void {
    for (const { fd } of this.#opened) closeSync(fd);
    this.#opened = [];
    for (const path of this.#created) unlinkSync(path);
    for (const logger of this.#loggers) logger.close();
  }

  /** Puts the files in place, and process.stdin, stdout and stderr on them. */
  redirect(): void {
    const sources = this.#sources();
    const targets = [...sources.keys()];
    const renewStreams = prepareStreams(targets);
    // A stream that the script hasn't used yet is made when it is looked at, for the file that is there: for a pipe it would be
    // one of Node's, and the pipe non-blocking.
    const devNull = openSync('/dev/null', 'r+');
    for (const target of targets) dup2(devNull, target);
    closeSync(devNull);
    renewStreams();
    for (const [target, fd] of sources) dup2(fd, target);
    for (const fd of new Set(sources.values())) closeSync(fd);
    this.#opened = [];
  }

  /** What 0, 1 and 2 are to be, each opened or copied before any of them changes. */
  #sources(): Map<number, number> {
    const sources = new Map<number, number>();
    const { stdin, outputs } = this.#plan;
    [stdin, ...outputs].forEach((one, target) => {
      if (one.kind === 'null') sources.set(target, openSync('/dev/null', 'r+'));
      if (one.kind === 'descriptor') sources.set(target, dup(one.fd));
      if (one.kind === 'file') sources.set(target, openSync(one.path, 'r'));
    });
    for (const { fd, targets } of this.#opened) for (const target of targets) sources.set(target, fd);
    return sources;
  }

  /**
   * Opens the logs anew, under the names they were given, and puts them in the place of the old files: no line gets lost.
   *
   * @throws what opening one of them fails with; that one goes on as it was
   */
  reopen(): void {
    let failure: unknown;
    for (const { log, targets } of this.#streams) {
      if (needsLogger(log)) continue;
      try {
        const { fd } = openLog(log.path, this.#style);
        for (const target of targets) dup2(fd, target);
        closeSync(fd);
      } catch (error) {
        failure ??= error;
      }
    }
    for (const logger of this.#loggers) logger.reopen();
    if (failure) throw failure;
  }

  /** Whether there is anything to open anew. */
  get reopenable(): boolean {
    return this.#streams.length > 0;
  }

  #open({ log, targets }: Stream): void {
    const { fd, created } = openLog(log.path, this.#style);
    if (created) this.#created.push(log.path);
    if (!needsLogger(log)) {
      this.#opened.push({ fd, targets });
      return;
    }
    closeSync(fd);
    const logger = new Logger(this.#plan.name, log, this.#style);
    this.#loggers.push(logger);
    this.#opened.push({ fd: logger.takeInput(), targets });
  }
}

/** Whether a descriptor that the plan names is there; before anything else is done. */
export function checkDescriptors(plan: DaemonPlan): void {
  for (const fd of [...namedDescriptors(plan), ...(plan.keepFds ?? [])]) fstatSync(fd);
}
