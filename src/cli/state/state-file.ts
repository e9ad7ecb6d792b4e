import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;

/** A file's next content, written and on the disk, but not yet in its place. */
export class Draft {
  readonly #path: string;

  constructor(path: string, text: string) {
    this.#path = path;
    this.discard();
    const fd = openSync(`${path}.new`, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      // Whatever the umask.
      fchmodSync(fd, 0o600);
      writeAll(fd, Buffer.from(text));
      fsyncSync(fd);
    } catch (error) {
      this.discard();
      throw Object.assign(error as Error, { path });
    } finally {
      closeSync(fd);
    }
  }

  commit(): void {
    renameSync(`${this.#path}.new`, this.#path);
  }

  discard(): void {
    removeIfThere(`${this.#path}.new`);
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

export function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** A file of the state folder; undefined if there is none. */
export function readIfThere(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
