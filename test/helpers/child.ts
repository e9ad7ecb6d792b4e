// For fixtures: a child that Node knows nothing about.
import { closeSync } from 'node:fs';
import { forkExec, pipe } from 'posix-daemon';

export interface OwnChild {
  pid: number;
  /** Ends its standard input. */
  release(): void;
}

/** Starts a shell command, such as `read line; exit 7`. It can't outlive its parent if it reads its standard input. */
export function startChild(command: string): OwnChild {
  const [input, release] = pipe();
  const pid = forkExec('/bin/sh', { argv: ['-c', command], stdio: [input, 'null', 'null'] });
  closeSync(input);
  return { pid, release: () => closeSync(release) };
}
