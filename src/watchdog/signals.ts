// What a signal to the watchdog means.
import { constants } from 'node:os';

const { SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH } =
  constants.signals;

export type Meaning = 'childEnded' | 'stop' | 'pause' | 'passOn';

const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [SIGCHLD, 'childEnded'],
  [SIGTERM, 'stop'],
  [SIGINT, 'stop'],
  [SIGQUIT, 'stop'],
  [SIGTSTP, 'pause'],
  [SIGHUP, 'passOn'],
  [SIGUSR1, 'passOn'],
  [SIGUSR2, 'passOn'],
  [SIGWINCH, 'passOn'],
  [SIGCONT, 'passOn'],
]);

export const HELD = [...MEANINGS.keys()];

/**
 * The kernel sends these to a whole background process group, for what one of its members did: they must not stop the
 * watchdog. Caught instead of ignored, a write to a terminal with `stty tostop` would be interrupted for ever.
 */
export const IGNORED = [SIGTTIN, SIGTTOU];

export function meaningOf(signal: number): Meaning | undefined {
  return MEANINGS.get(signal);
}
