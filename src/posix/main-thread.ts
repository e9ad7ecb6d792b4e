import { isMainThread } from 'node:worker_threads';

/**
 * Refuses a call in a worker thread, with the code Node's own calls have there.
 *
 * @param what the call, as its user wrote it
 * @param why what would go wrong
 * @throws ERR_WORKER_UNSUPPORTED_OPERATION
 */
export function mainThreadOnly(what: string, why: string): void {
  if (isMainThread) return;
  const error = new TypeError(`${what}() is not supported in workers: ${why}`);
  throw Object.assign(error, { code: 'ERR_WORKER_UNSUPPORTED_OPERATION' });
}
