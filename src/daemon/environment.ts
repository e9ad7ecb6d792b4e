import { type Account, native } from '../native.js';
import type { DaemonPlan } from './plan.js';

// What tells of the terminal, the login and the place that the starter was called from.
const OF_THE_STARTER = [
  '_',
  'COLUMNS',
  'GPG_TTY',
  'LINES',
  'OLDPWD',
  'PWD',
  'SHLVL',
  'SSH_CLIENT',
  'SSH_CONNECTION',
  'SSH_TTY',
  'STY',
  'TERM',
  'TERMCAP',
  'TMUX',
  'TMUX_PANE',
  'WINDOWID',
] as const;

/** What a login sets for a user. */
export function loginVariables({ home, name, shell }: Account): Record<string, string> {
  return { HOME: home, USER: name, LOGNAME: name, SHELL: shell };
}

/** The environment that a daemon gets. */
export function daemonEnvironment({ env, account }: DaemonPlan): Record<string, string> {
  const given: Record<string, string | undefined> = { ...(env ?? process.env) };
  if (env === undefined) {
    for (const name of OF_THE_STARTER) delete given[name];
    if (account) Object.assign(given, loginVariables(account));
  }
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Makes it the environment of this process: for getenv(), and in /proc/PID/environ, which shows the one of the start. */
export function takeOnEnvironment(env: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(env, name)) delete process.env[name];
  for (const [name, value] of Object.entries(env)) if (process.env[name] !== value) process.env[name] = value;
  showEnvironment();
}

/** Has /proc/PID/environ show what the environment is now. */
export function showEnvironment(): void {
  native.showEnvironment(
    Object.entries(process.env)
      .map(([name, value]) => `${name}=${value}\0`)
      .join(''),
  );
}
