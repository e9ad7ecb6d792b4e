// Whether other users can get at what is in a folder, or had a hand in the way there.
import { lstatSync, statSync } from 'node:fs';
import { dirname, parse, sep } from 'node:path';
import { unsafePidFile } from './errors.js';

const OTHERS_CAN_WRITE = 0o022;

function trusted(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/** The folders on the way to a path, from the root on. */
function* waysTo(path: string): Iterable<string> {
  const { root } = parse(path);
  const names = dirname(path).slice(root.length).split(sep).filter(Boolean);
  let way = root;
  for (const name of names) {
    way = way.endsWith(sep) ? way + name : way + sep + name;
    yield way;
  }
}

/** What is to be said about the folder of a file before one is made in it; undefined if nothing is. */
export function folderConcern(path: string): string | undefined {
  const folder = dirname(path);
  const { mode, uid } = statSync(folder);
  if (!trusted(uid)) return `${folder} belongs to another user (uid ${uid}), who can keep a daemon from starting there`;
  if ((mode & OTHERS_CAN_WRITE) === 0) return undefined;
  return `${folder} can be written by other users (mode 0${(mode & 0o7777).toString(8)}), who can keep a daemon from starting there`;
}

/**
 * @throws ERR_PID_FILE_UNSAFE if a folder on the way is a link that another user made; a system error if there is no
 * such folder
 */
export function checkFolder(path: string): void {
  for (const way of waysTo(path)) {
    const status = lstatSync(way);
    if (status.isSymbolicLink() && !trusted(status.uid)) {
      throw unsafePidFile(path, `${way} is a link made by another user (uid ${status.uid})`);
    }
  }
  const concern = folderConcern(path);
  if (concern) process.emitWarning(concern, { code: 'POSIX_DAEMON_UNSAFE_FOLDER' });
}
