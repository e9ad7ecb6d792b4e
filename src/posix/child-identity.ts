import inspector from 'node:inspector';
import { native } from '../native.js';

/** In a forked child: makes it differ from its parent where it has to. */
export function assumeIdentity(): void {
  // A data property, filled in when Node started.
  Object.defineProperty(process, 'pid', {
    value: native.getpid(),
    enumerable: true,
    configurable: true,
    writable: false,
  });
  moveInspector();
}

/** A process that can be debugged has a child that can, at a port of its own: both would accept debuggers at the old one. */
function moveInspector(): void {
  const url = inspector.url();
  if (url === undefined) return;
  inspector.close();
  // An address of IPv6 stands in brackets in a URL, and nowhere else.
  inspector.open(0, new URL(url).hostname.replace(/^\[(.*)\]$/, '$1'));
}
