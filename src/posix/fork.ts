import { isMainThread } from 'node:worker_threads';
import { native } from '../native.js';
import { prepareFork } from './atfork.js';
import { assumeIdentity } from './child-identity.js';
import { inheritOpenSSL, prepareEntropy, renewEntropy, reseedOpenSSL } from './entropy.js';
import { mainThreadOnly } from './main-thread.js';
import { type LeftToParent, leaveToParent } from './parent-handles.js';
import * as validate from './validate.js';

const REASON = 'the child would begin in a thread that is not its main one';

/** The answer of forkSupport(). */
export interface ForkSupport {
  supported: boolean;
  /** Why not, where it isn't. */
  reason?: string;
}

export interface ForkOptions {
  /**
   * What the child does with connections that are open at the fork. 'close', the default: it lets go of its copies, of those
   * that a server accepted and of those that it made itself, and the parent alone goes on with them. 'share': both have
   * them, and must agree on who reads and writes; so a child that serves one connection, which the parent then closes.
   */
  connections?: 'close' | 'share';
}

/**
 * Duplicates the whole process, and returns in both. The child has a copy of all memory, shared copy on write, and of
 * every thread: timers, servers, promises, compiled code, Workers all go on in it, as in the parent. Descriptors are shared,
 * as fork(2) has it, except for those of the event loops, and of what would be read by both: connections (`connections:
 * 'share'` keeps them), IPC channels, pipes to programs that the parent has started. The child's copies are closed without
 * an event, and no one at the other end notices. docs/fork.md says more, and what to look after.
 *
 * The parent's ChildProcess objects are in the child as those of ended processes: kill() returns false. A primary of
 * node:cluster has no workers in the child. A process with an IPC channel has none in the child, and no process.send.
 *
 * The hooks of atfork() run around it. In the child `process.pid` is its own, `crypto.randomUUID()`,
 * `crypto.randomInt()` and `Math.random()` differ from the parent's (in a Worker the first two do, if it has loaded this
 * package), an inspector moves to a port of its own.
 *
 * Synchronous; a few milliseconds, during which no thread of the process runs. From any callback of the main thread.
 * Linux with glibc, x86-64 and arm64.
 *
 * @returns the child's pid in the parent, 0 in the child
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; ENOTSUP where forkSupport() says so, before anything has changed; EAGAIN at a limit of processes
 * (RLIMIT_NPROC, a cgroup's pids.max) or when a thread didn't stop within 10 s; ENOMEM; EMFILE if there isn't room for
 * the few descriptors it needs for a moment; `step` names the part that failed. ERR_WORKER_UNSUPPORTED_OPERATION in a
 * worker thread. There is no child then.
 * @see fork(2)
 */
export function fork(options: ForkOptions = {}): number {
  mainThreadOnly('fork', REASON);
  validate.options('options', options, ['connections']);
  const { connections = 'close' } = options;
  if (connections !== 'close' && connections !== 'share') {
    throw validate.invalidValue('options.connections', "'close' or 'share'", connections);
  }
  prepareEntropy();
  const left: LeftToParent = { children: 'all', connections: connections === 'close' };
  return betweenHooks(() => ({ pid: native.fork() }), left, renewEntropy).pid;
}

/**
 * As fork(), but the child is a grandchild, in a session of its own that it doesn't lead: both forks happen while the
 * threads stand still once. The caller must be a subreaper, and so becomes its parent; and must draw no random numbers any
 * more, for the child goes on with the same. It must not go on at all with what it shares: connections, pipes to programs
 * and their channels are the child's then. But their exits are not reported to it, so it has no handles of them.
 *
 * @internal
 */
export function forkDetached(): number {
  mainThreadOnly('fork', REASON);
  reseedOpenSSL();
  return betweenHooks(
    () => ({ pid: native.forkDetached() }),
    { children: 'handles' },
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
  return betweenHooks(call, { children: 'all', connections: true }, renewEntropy, onHookError);
}

function betweenHooks<T extends { pid: number }>(
  call: () => T,
  left: LeftToParent,
  inChild: () => void,
  onParentError = (error: unknown): void => {
    throw error;
  },
): T {
  const hooks = prepareFork();
  const forker = process.pid;
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
  leaveToParent(forker, left);
  hooks.inChild();
  return forked;
}

/** Whether fork() can work here, asked without trying. */
export function forkSupport(): ForkSupport {
  const reason = isMainThread ? native.forkObstacle() : 'a worker thread cannot fork';
  return reason === undefined ? { supported: true } : { supported: false, reason };
}
