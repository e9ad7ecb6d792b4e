// What both restart policies have to decide: that of forked workers, and the keeper's for programs.
import type { Ending, RestartOptions } from '#dist/watchdog/restart-policy.js';

export const exited = (exitCode: number): Ending => ({ exitCode, signal: null });
export const killed: Ending = { exitCode: null, signal: 'SIGKILL' };
export const missing: Ending = { spawnError: Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }) };

/** By the options and the first end: the pause before the replacement, in ms, or none. */
export const WHETHER_REPLACED: readonly [RestartOptions, Ending, number | 'finish'][] = [
  [{}, exited(0), 0],
  [{}, killed, 0],
  [{ restart: 'always' }, exited(0), 0],
  [{ restart: 'on-failure' }, exited(0), 'finish'],
  [{ restart: 'on-failure' }, exited(1), 0],
  [{ restart: 'on-failure' }, killed, 0],
  [{ restart: 'on-failure' }, missing, 100],
  [{ restart: 'on-failure', successExitCodes: [0, 3] }, exited(3), 'finish'],
  [{ restart: 'on-failure', successExitCodes: [3] }, exited(0), 0],
  [{ restart: 'on-failure', successExitCodes: ['SIGKILL'] }, killed, 'finish'],
  [{ restart: 'on-failure', successExitCodes: [9] }, killed, 0],
  [{ restart: 'never' }, exited(1), 'finish'],
  [{ restart: 'never' }, killed, 'finish'],
];
