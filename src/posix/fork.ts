import { isMainThread } from 'node:worker_threads';
import { native } from '../native.js';
import { prepareFork } from './atfork.js';
import { assumeIdentity } from './child-identity.js';
import { inheritOpenSSL, prepareEntropy, renewEntropy, reseedOpenSSL } from './entropy.js';
import { mainThreadOnly } from './main-thread.js';

const REASON = 'the child would begin in a thread that is not its main one';

/** The answer of forkSupport(). */
export interface ForkSupport {
  supported: boolean;
  /** Why not, where it isn't. */
  reason?: string;
}

/**
 * Duplicates the whole process, and returns in both. The child has a copy of all memory, shared copy on write, and of
 * every thread: timers, sockets, promises, compiled code, Workers, requests in flight all go on in it, as in the parent.
 * Descriptors are shared, as fork(2) has it, except for those of the event loops. docs/fork.md tells what to look after.
 *
 * The hooks of atfork() run around it. In the child `process.pid` is its own, `crypto.randomUUID()`,
 * `crypto.randomInt()` and `Math.random()` differ from the parent's (in a Worker the first two do, if it has loaded this
 * package), an inspector moves to a port of its own.
 *
 * Synchronous; a few milliseconds, during which no thread of the process runs. From any callback of the main thread.
 * Linux with glibc, x86-64 and arm64.
 *
 * @returns the child's pid in the parent, 0 in the child
 * @throws ENOTSUP where forkSupport() says so, before anything has changed; EAGAIN at a limit of processes
 * (RLIMIT_NPROC, a cgroup's pids.max) or when a thread didn't stop within 10 s; ENOMEM; EMFILE if there isn't room for
 * the few descriptors it needs for a moment; `step` names the part that failed. ERR_WORKER_UNSUPPORTED_OPERATION in a
 * worker thread. There is no child then.
 * @see fork(2)
 */
export function fork(): number {
  mainThreadOnly('fork', REASON);
  prepareEntropy();
  return betweenHooks(() => ({ pid: native.fork() }), renewEntropy).pid;
}

/**
 * As fork(), but the child is a grandchild, in a session of its own that it doesn't lead: both forks happen while the
 * threads stand still once. The caller must be a subreaper, and so becomes its parent; and must draw no random numbers any
 * more, for the child goes on with the same.
 *
 * @internal
 */
export function forkDetached(): number {
  mainThreadOnly('fork', REASON);
  reseedOpenSSL();
  return betweenHooks(
    () => ({ pid: native.forkDetached() }),
    () => {},
  ).pid;
}

/** What forkKept() made. */
export interface KeptFork {
  /** 0 in the worker. */
  pid: number;
  /** Of its parent, a child of the caller; 0 in the worker. */
  keeperPid: number;
  /** In a worker that stood by: the number that it was given. */
  given: number;
}

export interface KeptForkOptions {
  /** The keeper's path. */
  keeper: string;
  /** The same, opened with O_PATH: what counts when the path is gone, or leads to another version. */
  keeperFd: number;
  /** What ps shows of it. */
  title: string;
  /** What else it is told. */
  flags: string[];
  /** A descriptor that stays open in it, too. */
  fd: number;
  /**
   * If given, the worker waits before any JavaScript runs in it, and takes no time, until giveStandby() and SIGCONT reach it.
   * This is what ps shows of it meanwhile. Signals that come before do nothing.
   */
  standbyTitle?: string;
  /** Is told in the caller what a `parent` hook has thrown: the worker is there, and who forgot it would start another one. */
  onHookError: (error: unknown) => void;
}

/**
 * As fork(), but between the caller and the worker there is a keeper, a small program that ends as the worker does, kills
 * whatever is left of what the worker has started, and kills all of it, the worker too, when it gets SIGTERM or the caller
 * ends. If the keeper is killed, the worker is.
 *
 * @internal
 */
export function forkKept({ keeper, keeperFd, title, flags, fd, standbyTitle, onHookError }: KeptForkOptions): KeptFork {
  mainThreadOnly('fork', REASON);
  prepareEntropy();
  const call = () => {
    const [pid, other] = native.forkKept(keeper, keeperFd, title, flags, fd, standbyTitle);
    return pid === 0 ? { pid, keeperPid: 0, given: other } : { pid, keeperPid: other, given: 0 };
  };
  return betweenHooks(call, renewEntropy, onHookError);
}

function betweenHooks<T extends { pid: number }>(
  call: () => T,
  inChild: () => void,
  onParentError = (error: unknown): void => {
    throw error;
  },
): T {
  const hooks = prepareFork();
  let forked: T;
  try {
    forked = call();
  } catch (error) {
    hooks.inParent();
    throw error;
  }
  if (forked.pid !== 0) {
    try {
      hooks.inParent();
    } catch (error) {
      onParentError(error);
    }
    return forked;
  }
  assumeIdentity();
  inheritOpenSSL();
  if (native.watchesLost()) {
    process.emitWarning('what fs.watch, a Worker or an addon watched before fork() may have fallen silent here', {
      code: 'POSIX_DAEMON_WATCHES_LOST',
    });
  }
  inChild();
  hooks.inChild();
  return forked;
}

/** Whether fork() can work here, asked without trying. */
export function forkSupport(): ForkSupport {
  const reason = isMainThread ? native.forkObstacle() : 'a worker thread cannot fork';
  return reason === undefined ? { supported: true } : { supported: false, reason };
}
