// What is written to a log from now on: over rotation (by the keeper or by logrotate) and truncation, by event.
import { closeSync, fstatSync, lstatSync, type PathLike, read, type Stats, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { LogPrinter } from './printer.js';
import { lastLinesWithBackups, openIfThere } from './tail.js';

const CHUNK = 64 * 1024;

interface OpenFile {
  readonly fd: number;
  position: number;
}

export class LogFollower {
  readonly #path: string;
  readonly #printer: LogPrinter;
  #current: OpenFile | undefined;
  /** The one before: until its writer has opened the new one it goes on writing there. */
  #previous: OpenFile | undefined;
  #catchingUp = false;
  #again = false;

  constructor(path: string, printer: LogPrinter) {
    this.#path = path;
    this.#printer = printer;
  }

  /** Prints the last lines, then all that follow. Resolves only by rejecting, when the folder can't be watched. */
  async follow(count: number): Promise<never> {
    const name = basename(this.#path);
    return new Promise<never>((_, reject) => {
      const watcher = watch(dirname(this.#path), (_event, file) => {
        if (file === null || file.startsWith(name)) this.#catchUp().catch(reject);
      });
      watcher.on('error', reject);
      this.#catchingUp = true;
      this.#begin(count).catch(reject);
    });
  }

  async #begin(count: number): Promise<void> {
    const fd = openIfThere(this.#path);
    if (fd !== undefined) this.#current = { fd, position: fstatSync(fd).size };
    const end = this.#current?.position;
    await this.#printer.lines(this.#path, lastLinesWithBackups(this.#path, count, end));
    this.#catchingUp = false;
    await this.#catchUp();
  }

  /** One at a time: what happens meanwhile is looked at afterwards. */
  async #catchUp(): Promise<void> {
    this.#again = true;
    if (this.#catchingUp) return;
    this.#catchingUp = true;
    while (this.#again) {
      this.#again = false;
      if (this.#previous) await this.#drain(this.#previous);
      if (this.#current) await this.#drain(this.#current);
      if (this.#advance()) this.#again = true;
    }
    this.#catchingUp = false;
  }

  async #drain(file: OpenFile): Promise<void> {
    const buffer = Buffer.alloc(CHUNK);
    if (fstatSync(file.fd).size < file.position) file.position = 0; // truncated
    for (;;) {
      const length = await readAt(file, buffer);
      if (length === 0) return;
      file.position += length;
      await this.#printer.bytes(this.#path, Buffer.from(buffer.subarray(0, length)));
    }
  }

  /** Goes on to the file that came after the present one; returns whether there is one. */
  #advance(): boolean {
    const present = this.#current && fstatSync(this.#current.fd);
    const next = present ? this.#successor(present) : this.#path;
    const fd = next === undefined ? undefined : openIfThere(next);
    if (fd === undefined) return false;
    if (present && isSame(present, fstatSync(fd))) {
      closeSync(fd);
      return false;
    }
    if (this.#previous) closeSync(this.#previous.fd);
    this.#previous = this.#current;
    this.#current = { fd, position: 0 };
    return true;
  }

  /** Several rotations may have passed: then what came after `present` is a backup itself. */
  #successor(present: Stats): string | undefined {
    if (isSame(present, statIfThere(this.#path))) return undefined;
    for (let i = 1; ; i++) {
      const backup = statIfThere(`${this.#path}.${i}`);
      if (!backup) return this.#path;
      if (isSame(present, backup)) return i === 1 ? this.#path : `${this.#path}.${i - 1}`;
    }
  }
}

function isSame(a: Stats, b: Stats | undefined): boolean {
  return a.ino === b?.ino && a.dev === b.dev;
}

function statIfThere(path: PathLike): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function readAt({ fd, position }: OpenFile, buffer: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, position, (error, length) => (error ? reject(error) : resolve(length)));
  });
}
