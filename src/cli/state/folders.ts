// Where state and logs are: the same place whichever way the user came in, and nobody else's.
import { chmodSync, lstatSync, mkdirSync, type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { path } from '../arguments/values.js';
import { coded } from '../errors.js';

const OTHERS_CAN_WRITE = 0o022;
const EVERYBODY_CAN_WRITE = 0o002;
const STICKY = 0o1000;

const isRoot = process.geteuid?.() === 0;

function home(): string | undefined {
  const own = process.env.POSIX_DAEMON_HOME;
  return own ? path({ origin: 'POSIX_DAEMON_HOME', value: own }) : undefined;
}

/** Whether it is a folder of this user: su and sudo may leave XDG_RUNTIME_DIR pointing at another one's. */
function isOurs(folder: string): boolean {
  try {
    const status = statSync(folder);
    return status.isDirectory() && status.uid === process.geteuid?.();
  } catch {
    return false;
  }
}

function below(base: string | undefined, fallback: string): string {
  return base && isAbsolute(base) ? base : join(homedir(), fallback);
}

/**
 * The state folder: `$POSIX_DAEMON_HOME`; /run/posix-daemon for root; `$XDG_RUNTIME_DIR/posix-daemon`, which is also
 * looked for where the variable isn't set (cron, some ssh); else a folder in the user's home.
 */
export function stateFolder(): string {
  const own = home();
  if (own !== undefined) return own;
  if (isRoot) return '/run/posix-daemon';
  const { XDG_RUNTIME_DIR } = process.env;
  if (XDG_RUNTIME_DIR && isAbsolute(XDG_RUNTIME_DIR) && isOurs(XDG_RUNTIME_DIR)) {
    return join(XDG_RUNTIME_DIR, 'posix-daemon');
  }
  const usual = `/run/user/${process.geteuid?.()}`;
  if (isOurs(usual)) return join(usual, 'posix-daemon');
  if (isOurs(homedir())) return join(homedir(), '.local/state/posix-daemon/run');
  const why = 'there is no folder for the state of daemons: neither XDG_RUNTIME_DIR nor a home of this user';
  throw coded('ERR_NO_STATE_FOLDER', `${why}. Set POSIX_DAEMON_HOME to a folder of your own`);
}

/** The folder that logs are in unless they are named. */
export function logFolder(): string {
  const own = home();
  if (own !== undefined) return own;
  if (isRoot) return '/var/log/posix-daemon';
  return join(below(process.env.XDG_STATE_HOME, '.local/state'), 'posix-daemon');
}

function refuse(folder: string, why: string, { uid, mode }: Stats): never {
  const octal = `0${(mode & 0o7777).toString(8)}`;
  throw coded('ERR_STATE_FOLDER_UNSAFE', `${folder} is not used: ${why} (owner ${uid}, mode ${octal})`, {
    path: folder,
    uid,
    mode: octal,
  });
}

/** @throws ERR_STATE_FOLDER_UNSAFE if another user could have put something there, or could exchange it */
export function checkFolder(folder: string): void {
  const status = lstatSync(folder);
  if (status.isSymbolicLink()) refuse(folder, 'it is a symbolic link', status);
  if (!status.isDirectory()) refuse(folder, 'it is no folder', status);
  if (status.uid !== process.geteuid?.()) refuse(folder, 'it belongs to another user', status);
  if (status.mode & OTHERS_CAN_WRITE) refuse(folder, 'other users can write to it', status);
  const parent = statSync(dirname(folder));
  if (parent.mode & EVERYBODY_CAN_WRITE && !(parent.mode & STICKY)) {
    refuse(folder, `everybody can replace it in ${dirname(folder)}`, parent);
  }
}

/** Makes the folder if need be, for this user alone. */
export function makeFolder(folder: string): void {
  // The umask may take away even the owner's rights.
  if (mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined) chmodSync(folder, 0o700);
  checkFolder(folder);
}

/** The state folder, safe to be looked into; undefined if there is none yet, and so no daemon. */
export function existingStateFolder(): string | undefined {
  const folder = stateFolder();
  try {
    checkFolder(folder);
    return folder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
