import { EventEmitter } from 'node:events';

/**
 * Has an emitter report nothing any more, whoever listens or comes to listen, but what is wrong with a call of its own: to
 * take the listeners off would not reach events that wait for the next tick and those who listen by then.
 */
export function silence(emitter: EventEmitter): void {
  const emit = (event: string | symbol, ...args: unknown[]) =>
    event === 'error' && EventEmitter.prototype.emit.call(emitter, event, ...args);
  Object.defineProperty(emitter, 'emit', { value: emit, configurable: true, writable: true });
}
