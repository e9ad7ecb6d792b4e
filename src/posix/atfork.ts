import * as validate from './validate.js';

/** What to call around a fork(); each one may be left out. */
export interface ForkHooks {
  /** Before the fork, in the parent. */
  prepare?: () => void;
  /** After it, in the parent; also when the fork failed, if `prepare` had run. */
  parent?: () => void;
  /** After it, in the child, before fork() returns there. */
  child?: () => void;
}

// Replaced as a whole and never changed in place: a hook may add or remove hooks while the list is gone through.
let registered: readonly ForkHooks[] = [];

/**
 * Registers functions to be called around every fork() of this process and of the processes forked from it: to close in
 * the child what is the parent's alone (a lock, a file), to flush before, to reseed after. As pthread_atfork:
 * `prepare` hooks run in the reverse order of registration, `parent` and `child` hooks in that order.
 *
 * A `prepare` hook that throws prevents the fork: the `parent` hooks of those that had run are called, and fork() throws
 * its error. When a `parent` or `child` hook throws, the others are called all the same and fork() throws the first
 * error: in the child, too, where it is up to the program to end itself then.
 *
 * @returns a function that removes the hooks again
 * @throws ERR_INVALID_ARG_TYPE
 * @see pthread_atfork(3)
 */
export function atfork(hooks: ForkHooks): () => void {
  validate.object('hooks', hooks);
  for (const name of ['prepare', 'parent', 'child'] as const) {
    if (hooks[name] !== undefined) validate.callback(`hooks.${name}`, hooks[name]);
  }
  const own = { ...hooks };
  registered = [...registered, own];
  return () => {
    registered = registered.filter((other) => other !== own);
  };
}

/** What is to be called after this fork, on each side. */
export interface PreparedFork {
  inParent(): void;
  inChild(): void;
}

function callAll(hooks: readonly (() => void)[]): void {
  let failed = false;
  let first: unknown;
  for (const hook of hooks) {
    try {
      hook();
    } catch (error) {
      first = failed ? first : error;
      failed = true;
    }
  }
  if (failed) throw first;
}

/** Calls the `prepare` hooks; what they throw is thrown when all that they did is undone. */
export function prepareFork(): PreparedFork {
  const hooks = registered;
  const called: ForkHooks[] = [];
  const inParent = () => callAll(called.flatMap(({ parent }) => parent ?? []));
  for (const hook of hooks.toReversed()) {
    try {
      hook.prepare?.();
    } catch (error) {
      try {
        inParent();
      } catch {
        // The first error is the one that tells why there is no fork.
      }
      throw error;
    }
    called.unshift(hook);
  }
  return { inParent, inChild: () => callAll(called.flatMap(({ child }) => child ?? [])) };
}
