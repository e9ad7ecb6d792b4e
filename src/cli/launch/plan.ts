// From the options to a record: everything that can be found out before anything is started.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { getSystemErrorName } from 'node:util';
import { type Credentials, resolveCredentials } from '../../posix/credentials.js';
import type { Invocation } from '../arguments/parse.js';
import type { Settings } from '../arguments/settings.js';
import { readiness, supervision } from '../arguments/supervision.js';
import * as values from '../arguments/values.js';
import { coded, usage } from '../errors.js';
import { logFolder, makeFolder } from '../state/folders.js';
import { DaemonFiles, type DaemonRecord } from '../state/record.js';
import { defaultName, programEnvironment, resolveProgram } from './program.js';

const MAX_BYTES = 50 * 2 ** 20;
const BACKUPS = 10;

/**
 * @throws ERR_MISSING_OPERAND if there is no program; ERR_INVALID_ARG_VALUE and its like for options; ENOENT, EACCES,
 * ENOTDIR for the program and the directories
 */
export function planDaemon({ command, operands }: Invocation, settings: Settings, folder: string): DaemonRecord {
  const named = settings.get('name', values.name);
  if (named !== undefined) settings.narrow(named);
  const words = operands.length > 0 ? operands : (settings.command ?? []);
  if (!isCommandLine(words)) {
    throw usage(
      'ERR_MISSING_OPERAND',
      `${command.name} needs a program: posix-daemon ${command.name} -- PROGRAM [ARG…]`,
    );
  }
  const name =
    named ?? values.name({ origin: 'without --name, the file name of the program', value: defaultName(words) });
  if (named === undefined) settings.narrow(name);

  const foreground = command.name === 'run';
  const chroot = settings.get('chroot', values.path);
  const cwd = workingDirectory(settings, chroot);
  const ids = credentials(settings);
  const set = settings.map('env', values.variables);
  const env = programEnvironment(settings.switch('clean-env'), set, cwd, ids.uid);
  return {
    version: 1,
    name,
    ...resolveProgram(words, { env, chroot }),
    cwd,
    env,
    umask: settings.get('umask', values.umask) ?? process.umask(),
    ...ids,
    ...given({ chroot, nice: settings.get('nice', values.nice) }),
    rlimits: settings.map('rlimit', values.limits),
    stopSignal: settings.get('stop-signal', values.signal) ?? 'SIGTERM',
    upMs: foreground ? 0 : (settings.get('up-ms', values.milliseconds) ?? 0),
    ...readiness(settings),
    ...given({ supervision: supervision(settings) }),
    pidFile: settings.get('pid-file', values.path) ?? new DaemonFiles(folder, name).pidFile,
    ...logs(settings, name, foreground),
    maxBytes: settings.get('max-bytes', values.size) ?? MAX_BYTES,
    backups: settings.get('backups', values.count) ?? BACKUPS,
    timestamps: settings.switch('timestamps'),
    foreground,
  };
}

function isCommandLine(words: readonly string[]): words is readonly [string, ...string[]] {
  return words.length > 0;
}

function given<T extends object>(optional: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as never;
}

/** In a new root the directory is one of there, and the default is the root itself. */
function workingDirectory(settings: Settings, chroot: string | undefined): string {
  if (chroot !== undefined) return settings.get('cwd', (one) => values.path({ ...one, base: '/' })) ?? '/';
  const cwd = settings.get('cwd', values.path) ?? values.here();
  if (!statSync(cwd).isDirectory()) throw notDirectory(cwd);
  return cwd;
}

function notDirectory(path: string): Error {
  const errno = -20;
  const code = getSystemErrorName(errno);
  return coded(code, `${code}: not a directory, chdir '${path}'`, { errno, syscall: 'chdir', path });
}

function credentials(settings: Settings): Credentials {
  return resolveCredentials(
    { uid: '--user', gid: '--group', groups: '--groups' },
    {
      uid: settings.get('user', values.account),
      gid: settings.get('group', values.account),
      groups: settings.get('groups', values.accounts),
    },
  );
}

/** In the foreground output isn't logged unless a log is named. */
function logs(settings: Settings, name: string, foreground: boolean): Pick<DaemonRecord, 'stdout' | 'stderr'> {
  const both = settings.get('log', values.path);
  const stdout = settings.get('stdout', values.path) ?? both;
  const stderr = settings.get('stderr', values.path) ?? both;
  if (foreground || (stdout !== undefined && stderr !== undefined)) return given({ stdout, stderr });
  const folder = logFolder();
  makeFolder(folder);
  const standard = join(folder, `${name}.log`);
  return { stdout: stdout ?? standard, stderr: stderr ?? standard };
}
