// Whether other users can get at what is in a folder, or had a hand in the way there.
import { lstatSync, statSync } from 'node:fs';
import { dirname, parse, sep } from 'node:path';
import { unsafePidFile } from './errors.js';

const OTHERS_CAN_WRITE = 0o022;
const STICKY = 0o1000;

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

function concernOf(folder: string, isLast: boolean): string | undefined {
  const { mode, uid } = statSync(folder);
  if (!trusted(uid)) return `${folder} belongs to another user (uid ${uid})`;
  if ((mode & OTHERS_CAN_WRITE) === 0) return undefined;
  // There, what is on the way can't be replaced by other users.
  if (!isLast && (mode & STICKY) !== 0) return undefined;
  return `${folder} can be written by other users (mode 0${(mode & 0o7777).toString(8)})`;
}

/** What is to be said about the way to a file before one is made there; undefined if nothing is. */
export function folderConcern(path: string): string | undefined {
  const last = dirname(path);
  for (const way of [...waysTo(path)].reverse()) {
    const concern = concernOf(way, way === last);
    if (concern) return `${concern}, who can keep a daemon from starting there`;
  }
  return undefined;
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
