// Finds the native program that stands between init and a daemon (native/keeper): it is built, packed and installed
// beside the addon.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { addonFolder } from '../load-addon.js';

const NAME = 'posix-daemon-keeper';

/**
 * The absolute path of the keeper's executable, in the folder that the addon came from.
 *
 * @throws ERR_POSIX_DAEMON_KEEPER with the path if it is missing or may not be executed; `cause` is the system's error
 */
export function keeperPath(): string {
  const path = join(addonFolder(), NAME);
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw keeperError(path, cause as NodeJS.ErrnoException);
  }
  return path;
}

function keeperError(path: string, cause: NodeJS.ErrnoException): Error {
  const remedy =
    cause.code === 'EACCES'
      ? `chmod +x ${path}, or move the package off a file system mounted noexec`
      : 'install the package again, or build it from source: npx node-gyp rebuild in its folder';
  const message = `The program ${NAME} of posix-daemon can't be executed: ${cause.message}\n  remedy: ${remedy}`;
  return Object.assign(new Error(message, { cause }), { code: 'ERR_POSIX_DAEMON_KEEPER', path });
}
