import { createRequire } from 'node:module';

const require = createRequire(import.meta.filename);

/**
 * Refuses a call in a worker thread, with the code Node's own calls have there.
 *
 * @param what the call, as its user wrote it
 * @param why what would go wrong
 * @throws ERR_WORKER_UNSUPPORTED_OPERATION
 */
export function mainThreadOnly(what: string, why: string): void {
  // Node takes 3 ms to load this module, and most calls need no answer.
  const { isMainThread } = require('node:worker_threads') as typeof import('node:worker_threads');
  if (isMainThread) return;
  const error = new TypeError(`${what}() is not supported in workers: ${why}`);
  throw Object.assign(error, { code: 'ERR_WORKER_UNSUPPORTED_OPERATION' });
}
