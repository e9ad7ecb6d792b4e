// What a daemon was started with, kept so that restart can do it again: NAME.json in the state folder.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '../../posix/resources.js';
import type { Supervision } from '../../watchdog/command/supervision.js';
import type { ReadinessPlan } from '../../watchdog/readiness.js';
import { isName, type ResourceLimit } from '../arguments/values.js';
import { coded } from '../errors.js';
import { Draft, readIfThere, removeIfThere } from './state-file.js';

const VERSION = 1;

/** Everything resolved: names looked up, paths absolute. */
export interface DaemonRecord {
  readonly version: typeof VERSION;
  readonly name: string;
  /** The program's absolute path. */
  readonly file: string;
  /** With argv[0]. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly umask: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  readonly chroot?: string;
  readonly nice?: number;
  readonly rlimits: Readonly<Partial<Record<Resource, ResourceLimit>>>;
  readonly stopSignal: string;
  readonly upMs: number;
  /** Left out: when it runs, and has been up for `upMs`. */
  readonly readiness?: ReadinessPlan;
  readonly readyTimeoutMs?: number;
  /** Left out: it is not watched, and nothing but the program itself ends with it. */
  readonly supervision?: Supervision;
  readonly pidFile: string;
  /** Of a daemon in the foreground these may be left out: then its output goes where it was started. */
  readonly stdout?: string;
  readonly stderr?: string;
  readonly maxBytes: number;
  readonly backups: number;
  readonly timestamps: boolean;
  readonly foreground: boolean;
}

/** The files of one daemon in the state folder. */
export class DaemonFiles {
  readonly folder: string;
  readonly name: string;

  constructor(folder: string, name: string) {
    this.folder = folder;
    this.name = name;
  }

  /** The pid file, unless the daemon was given another. Its lock is held by whoever starts a daemon of this name. */
  get pidFile(): string {
    return join(this.folder, `${this.name}.pid`);
  }

  /** The keeper's account of the program. */
  get status(): string {
    return join(this.folder, `${this.name}.status`);
  }

  get #record(): string {
    return join(this.folder, `${this.name}.json`);
  }

  draft(record: DaemonRecord): Draft {
    return new Draft(this.#record, `${JSON.stringify(record, null, 2)}\n`);
  }

  /**
   * @param running whether the daemon runs: then a record that was never put in its place, because its starter was killed
   * just before, is that of this daemon
   * @throws ERR_RECORD_INVALID with `path`
   */
  record(running = false): DaemonRecord | undefined {
    const path = this.#record;
    const text = (running ? readIfThere(`${path}.new`) : undefined) ?? readIfThere(path);
    if (text === undefined) return undefined;
    try {
      const record = JSON.parse(text) as DaemonRecord;
      if (record.version === VERSION) return record;
    } catch {
      // Told below.
    }
    throw coded('ERR_RECORD_INVALID', `${path} is none that this version of posix-daemon wrote`, { path });
  }

  /** Removes everything but the logs. */
  forget(): void {
    for (const path of [this.pidFile, this.status, this.#record, `${this.#record}.new`]) removeIfThere(path);
  }
}

/** The names of the daemons that are known in a state folder. */
export function daemonNames(folder: string | undefined): string[] {
  if (folder === undefined) return [];
  const names = readdirSync(folder)
    .filter((file) => /\.(json|pid)$/.test(file))
    .map((file) => file.replace(/\.[^.]+$/, ''));
  return [...new Set(names)].filter(isName).sort();
}
