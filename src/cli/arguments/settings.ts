// Where options come from: the flag, then the environment, then the config file, then the default.

import { invalidValue } from '../errors.js';
import { type Config, loadConfig } from './config-file.js';
import { OPTIONS, type OptionName, variable } from './options.js';
import type { Given, Invocation } from './parse.js';
import * as values from './values.js';

export class Settings {
  readonly #flags: Invocation['flags'];
  #config: Config;

  constructor({ flags }: Invocation) {
    this.#flags = flags;
    // What is empty is as good as unset: so a service manager's file can undo one.
    const file = flags.get('config')?.at(-1)?.value ?? (process.env[variable('config')] || undefined);
    this.#config = loadConfig(file);
  }

  /** The command line that the config file has. */
  get command(): readonly string[] | undefined {
    return this.#config.command;
  }

  /** The names of the daemons that the config file has sections for. */
  get sections(): readonly string[] {
    return [...this.#config.daemons.keys()];
  }

  /** From here on what the config file says of this daemon comes before what it says of all. */
  narrow(daemon: string): void {
    const own = this.#config.daemons.get(daemon);
    if (!own) return;
    const common = this.#config;
    const options = new Map(common.options);
    // Of maps the later of two equal keys counts.
    for (const [name, given] of own.options) {
      options.set(name, OPTIONS.get(name)?.map ? [...(options.get(name) ?? []), ...given] : given);
    }
    const command = own.command ?? common.command;
    this.#config = { options, daemons: new Map(), ...(command ? { command } : {}) };
  }

  /** The value of the first source that has one. */
  get<T>(name: OptionName, meaning: (given: Given) => T): T | undefined {
    const given = this.#flags.get(name)?.at(-1) ?? fromEnvironment(name)[0] ?? this.#config.options.get(name)?.at(-1);
    return given && meaning(given);
  }

  /** All sources together: for each key the first source that has it counts. */
  map<T>(name: OptionName, meaning: (given: readonly Given[]) => T): T {
    return meaning([
      ...(this.#config.options.get(name) ?? []),
      ...fromEnvironment(name),
      ...(this.#flags.get(name) ?? []),
    ]);
  }

  switch(name: OptionName): boolean {
    return this.get(name, truth) ?? false;
  }
}

function truth({ origin, value }: Given): boolean {
  if (/^(1|true|yes|on)$/i.test(value)) return true;
  if (/^(0|false|no|off)$/i.test(value)) return false;
  throw invalidValue(origin, '1 or 0, true or false', value);
}

/** POSIX_DAEMON_ENV and POSIX_DAEMON_RLIMIT have one KEY=VALUE a line. */
function fromEnvironment(name: OptionName): Given[] {
  const origin = variable(name);
  const value = process.env[origin];
  if (!value) return [];
  const parts = OPTIONS.get(name)?.map ? value.split('\n').filter(Boolean) : [value];
  return parts.map((part) => ({ origin, value: part }));
}

/** The daemons that are meant: those named, else the one that the environment or the config file names. */
export function namesMeant(invocation: Invocation, settings: Settings): string[] {
  const named = invocation.operands.map((value) => values.name({ origin: 'NAME', value }));
  if (named.length > 0) return [...new Set(named)];
  const own = settings.get('name', values.name);
  return own === undefined ? settings.sections.map((value) => values.name({ origin: 'daemons', value })) : [own];
}
