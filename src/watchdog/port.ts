// Whether a port can be reached, as seen by the worker that listens there.
import { connect, type Socket } from 'node:net';
import type { Address } from './readiness.js';

const RETRY_MS = 10;
const RETRY_MAX_MS = 250;

/** A port that nobody listens at can be the one that the kernel chooses for the socket itself: TCP's simultaneous open. */
function isItsOwnPeer({ localAddress, localPort, remoteAddress, remotePort }: Socket): boolean {
  return localPort === remotePort && localAddress === remoteAddress;
}

/**
 * Calls back once when a TCP connection can be made. Returns what gives it up.
 *
 * Polled, because the kernel tells nobody that a port is listened at; and a look at net.Server, in its stead, would miss the
 * servers that are there already and those of addons. It is the worker that connects, and not the watchdog, to be in its
 * network namespace, and so that a worker whose event loop is blocked isn't ready, though the kernel would take the connection
 * for it.
 */
export function whenReachable(address: Required<Address>, call: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let socket: Socket | undefined;
  const attempt = (pauseMs: number) => {
    const tried = connect(address).unref();
    const again = () => {
      timer = setTimeout(attempt, pauseMs, Math.min(pauseMs * 2, RETRY_MAX_MS)).unref();
    };
    tried.once('connect', () => {
      const isOpen = !isItsOwnPeer(tried);
      tried.destroy();
      if (isOpen) call();
      else again();
    });
    tried.once('error', again);
    socket = tried;
  };
  attempt(RETRY_MS);
  return () => {
    clearTimeout(timer);
    socket?.destroy();
  };
}
