// strace as a saboteur: it delays or kills a process at a system call of one's choice.
import { spawnSync } from 'node:child_process';

/** Why that can't be done here; false if it can. */
export function straceRefused(): string | false {
  const args = ['-qq', '-o', '/dev/null', '-e', 'inject=getpid:delay_enter=1', 'true'];
  const { status, stderr, error } = spawnSync('strace', args, { encoding: 'utf8' });
  return status === 0 ? false : `no strace: ${error?.message ?? stderr.trim()}`;
}
