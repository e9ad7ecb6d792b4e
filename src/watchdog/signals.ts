// What a signal to the watchdog means.
import { constants } from 'node:os';

const { SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH } =
  constants.signals;

export type Meaning = 'childEnded' | 'stop' | 'pause' | 'addWorker' | 'removeWorker' | 'passOn';

const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [SIGCHLD, 'childEnded'],
  [SIGTERM, 'stop'],
  [SIGINT, 'stop'],
  [SIGQUIT, 'stop'],
  [SIGTSTP, 'pause'],
  [SIGTTIN, 'addWorker'],
  [SIGTTOU, 'removeWorker'],
  [SIGHUP, 'passOn'],
  [SIGUSR1, 'passOn'],
  [SIGUSR2, 'passOn'],
  [SIGWINCH, 'passOn'],
  [SIGCONT, 'passOn'],
]);

export const HELD = [...MEANINGS.keys()];

export function meaningOf(signal: number): Meaning | undefined {
  return MEANINGS.get(signal);
}
