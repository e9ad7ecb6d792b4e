import inspector from 'node:inspector';
import { native } from '../native.js';
import { renewEntropy } from './entropy.js';

/** In a forked child: makes it differ from its parent where it has to. */
export function assumeIdentity(): void {
  // A data property, filled in when Node started.
  Object.defineProperty(process, 'pid', {
    value: native.getpid(),
    enumerable: true,
    configurable: true,
    writable: false,
  });
  renewEntropy();
  // Parent and child would both accept debuggers at its port.
  if (inspector.url() !== undefined) inspector.close();
}
