// For fixtures that fork: what the child has to say, over a pipe made before the fork, which also shows that such a pipe
// is shared.
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { _exit, fork, pipe, type WaitStatus, waitpid } from 'posix-daemon';

export interface Said<T> {
  pid: number;
  said: T;
  status: WaitStatus;
}

/** Forks; in the child calls `tell` and ends at once. Returns what it told when it has ended. */
export function askChild<T>(tell: (returned: number) => T): Said<T> {
  const [readFd, writeFd] = pipe();
  const pid = fork();
  if (pid === 0) {
    try {
      writeSync(writeFd, JSON.stringify(tell(pid) ?? null));
      _exit(0);
    } catch (error) {
      console.error(error);
      _exit(1);
    }
  }
  closeSync(writeFd);
  const text = readFileSync(readFd, 'utf8');
  closeSync(readFd);
  const status = waitpid(pid);
  if (text === '') throw new Error(`the child said nothing and ended with ${status.signal ?? status.exitCode}`);
  return { pid, said: JSON.parse(text), status };
}
