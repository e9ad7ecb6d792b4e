import { readFileSync } from 'node:fs';
import { native } from '../native.js';
import { mainThreadOnly } from './main-thread.js';
import * as validate from './validate.js';

// The title as it was set here, undefined until then.
let current: string | undefined;

/**
 * Sets what `ps`, `top` and /proc/PID/cmdline show as the command line of this process, of any length, and the name of
 * the main thread (`ps -o comm`, the first 15 bytes, cut between characters). The environment in /proc/PID/environ is
 * left alone, no privilege is needed, and a forked child keeps the title. A lone surrogate becomes U+FFFD.
 *
 * From the first call on `process.title` reads and sets the same title, so that later assignments show as well; Node
 * itself would go on writing to memory that nobody looks at any more.
 *
 * @param title the whole new command line; empty is allowed, and leaves `ps` nothing to show
 * @throws ERR_INVALID_ARG_VALUE for a null byte; ERR_WORKER_UNSUPPORTED_OPERATION in a Worker; ENOTSUP, with nothing
 * changed, where the kernel has no PR_SET_MM_MAP (no CONFIG_CHECKPOINT_RESTORE) or a sandbox forbids it; ENOMEM; ENOENT
 * where /proc isn't mounted, as inside of a chroot: the first call has to come before
 * @see PR_SET_MM(2const), proc_pid_cmdline(5)
 */
export function setproctitle(title: string): void {
  validate.text('title', title);
  mainThreadOnly('setproctitle', 'the title and the thread name are those of the whole process');
  native.setproctitle(title);
  // As the kernel has it, without lone surrogates.
  current = Buffer.from(title).toString();
  takeOverProcessTitle();
}

/**
 * What `ps` shows as the command line of this process now: the title, or the arguments with spaces between.
 *
 * @throws ENOENT without a title where /proc isn't mounted
 */
export function getproctitle(): string {
  return current ?? readFileSync('/proc/self/cmdline', 'utf8').replace(/\0$/, '').replaceAll('\0', ' ');
}

function takeOverProcessTitle(): void {
  Object.defineProperty(process, 'title', {
    get: getproctitle,
    // As lenient as Node's own setter, which makes anything a string and ends it at a null byte.
    set: (title: unknown) => setproctitle(String(title).replace(/\0.*/s, '')),
    enumerable: true,
    configurable: true,
  });
}
