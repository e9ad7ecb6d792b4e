// What is to be run, and in which environment.
import { accessSync, constants } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { loginVariables } from '../../daemon/environment.js';
import { native } from '../../native.js';
import { lookPath } from '../../posix/exec.js';
import { path } from '../arguments/values.js';
import { invalidValue } from '../errors.js';

export interface Program {
  /** Absolute. */
  file: string;
  /** With argv[0]. */
  argv: string[];
}

const SCRIPT = /\.[cm]?js$/;
const TYPESCRIPT = /\.[cm]?ts$/;

function isScript(file: string): boolean {
  if (SCRIPT.test(file)) return true;
  const { typescript } = process.features as { typescript?: unknown };
  return TYPESCRIPT.test(file) && Boolean(typescript);
}

/** The name of a daemon that wasn't given one. */
export function defaultName([file = '']: readonly string[]): string {
  return basename(file).replace(SCRIPT, '').replace(TYPESCRIPT, '');
}

/**
 * Looks the program up as a shell would, in the PATH of its own environment; a path is relative to where the command was
 * called, whatever its working directory is to be.
 *
 * @throws ENOENT, EACCES with `path`; ERR_RELATIVE_PATH
 */
export function resolveProgram(
  [word, ...args]: readonly [string, ...string[]],
  { env, chroot }: { env: Record<string, string>; chroot: string | undefined },
): Program {
  // What is in another root can only be found by going there.
  if (chroot !== undefined && !isAbsolute(word)) {
    throw invalidValue('PROGRAM', 'an absolute path, in the new root, when --chroot is given', word);
  }
  const absolute = () => path({ origin: 'PROGRAM', value: word });
  if (isScript(word)) {
    const script = absolute();
    accessSync(join(chroot ?? '/', script), constants.R_OK);
    return { file: process.execPath, argv: [basename(process.execPath), script, ...args] };
  }
  if (chroot !== undefined) return { file: word, argv: [word, ...args] };
  return { file: lookPath(word.includes('/') ? absolute() : word, env.PATH), argv: [word, ...args] };
}

// What a login sets, and nothing of the shell that the daemon happens to be started from.
const CLEAN = /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_.*|TZ)$/;

/**
 * The program's environment: the caller's without what is meant for this command, or the clean one; then what its user's
 * login would set, then what is asked for.
 */
export function programEnvironment(
  clean: boolean,
  set: Record<string, string>,
  cwd: string,
  uid: number | undefined,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [key, value] of Object.entries(process.env)) {
    if (value !== undefined && (clean ? CLEAN.test(key) : !key.startsWith('POSIX_DAEMON_'))) env[key] = value;
  }
  // The shell's word for where it was; the program is somewhere else.
  if (env.PWD !== undefined) env.PWD = cwd;
  delete env.OLDPWD;
  const account = uid === undefined ? undefined : native.findUser(uid);
  return { ...env, ...(account ? loginVariables(account) : {}), ...set };
}
