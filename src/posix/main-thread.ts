import { isMainThread } from 'node:worker_threads';

/** Refuses, with ERR_WORKER_UNSUPPORTED_OPERATION, what only the main thread can do. */
export function mainThreadOnly(what: string): void {
  if (isMainThread) return;
  const error = new TypeError(`${what} is not supported in workers`);
  throw Object.assign(error, { code: 'ERR_WORKER_UNSUPPORTED_OPERATION' });
}
