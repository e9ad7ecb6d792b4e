import { isAbsolute } from 'node:path';
import { native } from '../native.js';
import type { ForkExecOptions } from './exec-options.js';
import { environment, forkExecPlan } from './exec-plan.js';
import { mainThreadOnly } from './main-thread.js';
import * as validate from './validate.js';

// What the C library searches where there is no PATH.
const DEFAULT_PATH = '/bin:/usr/bin';

function search(file: string, directories: string | undefined, syscall: string): string {
  const found = native.searchPath(file, directories ?? DEFAULT_PATH, syscall);
  if (file.includes('/') || isAbsolute(found)) return found;
  const error = new Error(
    `${syscall}: '${file}' is '${found}', which depends on the working directory. Name it by a path`,
  );
  throw Object.assign(error, { code: 'ERR_RELATIVE_PATH', syscall, path: found });
}

/**
 * Starts a program in one native step. The call returns when the program runs: whatever fails on the way there fails
 * here, and leaves no process, zombie or descriptor behind. The memory is not copied, however large it is, unless
 * `uid`, `gid` or `groups` are given.
 *
 * The program is a child of the caller like any other, but not one of `node:child_process`: reap it with waitpid() or
 * openProcess().wait().
 *
 * @param file the program: a path if it has a slash, relative to the new working directory; else it is searched in the
 * PATH of `options.env`, or of the caller if that has none, by the caller's rights and before anything is changed
 * @returns the pid; with `detach` that of the grandchild, which can't be waited for with waitpid()
 * @throws a system error of the step that failed, with `syscall` 'forkExec', `path` where there is one, and `step`:
 * 'clone' (EAGAIN, ENOMEM), 'setsid', 'setpgid', 'oom_score_adj', 'open', 'dup' (EBADF for a source that isn't open;
 * EINVAL or EMFILE beyond RLIMIT_NOFILE), 'close_range', 'ioctl' (the terminal), 'setrlimit', 'setpriority', 'chroot',
 * 'setgroups', 'setgid', 'setuid', 'chdir', 'prctl', 'rt_sigaction', 'execve'. ENOENT or EACCES without a step if the
 * search found no program, or only such as may not be run; ENOEXEC if the file is no program, also if it is a script
 * without a #! line, for which no shell is started; ECANCELED if the child was killed before it became the program
 * @throws ERR_RELATIVE_PATH if the search found the program in a relative directory, as lookPath() does
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for options, among them users and groups that
 * don't exist; ERR_UNKNOWN_SIGNAL; ERR_WORKER_UNSUPPORTED_OPERATION for `pdeathsig` in a worker thread
 * @see clone(2), execve(2)
 */
export function forkExec(file: string, options: ForkExecOptions = {}): number {
  validate.path('file', file);
  const plan = forkExecPlan(file, options);
  if (!file.includes('/')) {
    // PATH names directories of the caller's root; what is there need not be in the other.
    if (options.chroot !== undefined)
      throw validate.invalidValue('file', 'a path with a slash when chroot is given', file);
    plan.file = search(file, options.env?.PATH ?? process.env.PATH, 'forkExec');
  }
  return native.forkExec(plan);
}

export interface ExecveOptions {
  /** Descriptors that stay open beside 0, 1 and 2, under their numbers. @default [] */
  fds?: readonly number[];
}

/**
 * Replaces this process by another program: same pid, parent, session, working directory, ids, limits and signal mask.
 * It returns only by throwing. No 'exit' handler runs and nothing is flushed: what streams still hold is lost.
 *
 * What Node changed for itself is undone: terminals leave raw mode, pipes and sockets at 0, 1 and 2 block again, SIGPIPE
 * and SIGXFSZ have their default effect. All other descriptors are closed. If the call fails, all of this is as before.
 *
 * @param path the program, absolute or relative to the working directory; PATH is not searched
 * @param argv all arguments, argv[0] included
 * @param env the whole environment; process.env by default
 * @throws ENOENT, EACCES, ENOEXEC (a script without a #! line, too), E2BIG, ETXTBSY; EBADF if one of `fds` is not open; an
 * error with `path` '/proc/self/fd' where /proc is missing
 * @throws ERR_WORKER_UNSUPPORTED_OPERATION in a worker thread
 * @see execve(2)
 */
export function execve(
  path: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: ExecveOptions = {},
): never {
  validate.path('path', path);
  validate.list('argv', argv, validate.text);
  if (argv.length === 0) throw validate.invalidValue('argv', 'an array that starts with argv[0]', argv);
  const variables = environment('env', env);
  validate.options('options', options, ['fds']);
  const { fds = [] } = options;
  validate.list('options.fds', fds, validate.descriptor);
  mainThreadOnly('execve', 'it would end the whole process');
  return native.execve(path, [...argv], variables, [...fds]);
}

/**
 * Finds the program that a name stands for, by the caller's effective ids. A name with a slash is a path already and is
 * only checked. Directories are no programs. An empty entry of PATH is the working directory; without a PATH, /bin and
 * /usr/bin are searched.
 *
 * @param directories what to search instead of the PATH of this process, in the same form
 * @returns the path
 * @throws ENOENT if there is none; EACCES if there are only files that may not be executed
 * @throws ERR_RELATIVE_PATH, with the `path`, if the first one found is in a relative directory of PATH: what a name runs
 * must not depend on where one stands
 * @see execvp(3); Go's exec.LookPath has the same rule
 */
export function lookPath(file: string, directories = process.env.PATH): string {
  validate.text('file', file);
  if (directories !== undefined) validate.text('directories', directories);
  return search(file, directories, 'lookPath');
}
