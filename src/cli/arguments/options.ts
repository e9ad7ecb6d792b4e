// Every option there is: what the parser accepts, the help explains, the shells complete, and the environment and the
// config file may give as well.

export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What the help calls the value; an option without one is a switch. */
  readonly value?: string;
  /** May be given several times: each adds one KEY=VALUE. */
  readonly map?: true;
  /** May be an array in the config file. */
  readonly list?: true;
  /** The words that the value can be, for completion. */
  readonly choices?: readonly string[];
  /** What the value is, for completion. */
  readonly completes?: 'file' | 'folder' | 'signal' | 'user' | 'group';
  readonly help: string;
}

// Kept as literals, so that OptionName is made of their names.
const table = [
  { name: 'name', value: 'NAME', help: "the daemon's name (default: the program's, without .js)" },
  { name: 'cwd', value: 'PATH', completes: 'folder', help: 'working directory (default: the present one)' },
  { name: 'env', value: 'KEY=VALUE', map: true, help: 'set a variable of the program; repeatable' },
  { name: 'clean-env', help: 'pass on only PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ and what --env sets' },
  { name: 'umask', value: 'OCTAL', help: 'file mode creation mask (default: the present one)' },
  { name: 'user', value: 'USER', completes: 'user', help: 'run as this user, with its groups' },
  { name: 'group', value: 'GROUP', completes: 'group', help: "group (default: the user's primary group)" },
  { name: 'groups', value: 'A,B', list: true, help: "supplementary groups (default: the user's)" },
  { name: 'chroot', value: 'PATH', completes: 'folder', help: 'root directory; the program is a path in it' },
  { name: 'nice', value: 'N', help: 'scheduling priority, -20 (first served) to 19' },
  { name: 'rlimit', value: 'NAME=N', map: true, help: 'resource limit: nofile=65536, core=0:unlimited; repeatable' },
  { name: 'stop-signal', value: 'SIGNAL', completes: 'signal', help: 'what stop sends the program (default: SIGTERM)' },
  { name: 'up-ms', value: 'MS', help: 'it has started once it has stayed up this long (default: 0)' },
  {
    name: 'ready',
    value: 'HOW',
    choices: ['exec', 'notify', 'port:'],
    help: 'it has started when it runs (exec), says so (notify, as to systemd), or listens (port:[HOST:]PORT)',
  },
  { name: 'ready-timeout', value: 'MS', help: 'kill it if it isn’t ready after this long (default: 60000)' },
  {
    name: 'restart',
    value: 'WHEN',
    choices: ['always', 'on-failure', 'never'],
    help: 'start it again when it ends: always, on-failure or never (default: never)',
  },
  { name: 'workers', value: 'N', help: 'run it N times, each with its number in WORKER_INDEX' },
  {
    name: 'success-exit-codes',
    value: 'A,B',
    list: true,
    help: 'exit codes and signals that are no failure (default: 0)',
  },
  { name: 'backoff', value: 'MS[:MS]', help: 'the first pause between restarts, and the longest (default: 100:30000)' },
  {
    name: 'max-restarts',
    value: 'N[/MS]',
    help: 'give it up after N restarts within so many ms, or unlimited (default: 10/60000)',
  },
  { name: 'stop-timeout', value: 'MS', help: 'kill a program that is to end after this long (default: 10000)' },
  { name: 'heartbeat', value: 'MS', help: 'restart it if it doesn’t say WATCHDOG=1 within this, as to systemd' },
  { name: 'max-rss', value: 'SIZE', help: 'restart it if it grows larger: 512M, 1G' },
  { name: 'pid-file', value: 'FILE', completes: 'file', help: 'pid file (default: NAME.pid in the state folder)' },
  {
    name: 'log',
    value: 'FILE',
    completes: 'file',
    help: 'where its output goes (default: NAME.log in the log folder)',
  },
  { name: 'stdout', value: 'FILE', completes: 'file', help: 'where its standard output goes instead' },
  { name: 'stderr', value: 'FILE', completes: 'file', help: 'where its standard error goes instead' },
  { name: 'max-bytes', value: 'SIZE', help: 'rotate a log that would exceed this: 10M, 1G; 0: never (default: 50M)' },
  { name: 'backups', value: 'N', help: 'rotated logs to keep (default: 10)' },
  { name: 'timestamps', help: 'begin each line of the logs with the time' },
  { name: 'config', value: 'FILE', completes: 'file', help: 'config file (default: posix-daemon.json, package.json)' },
  { name: 'timeout', value: 'MS', help: 'kill it by SIGKILL after this long (default: 10000)' },
  {
    name: 'signal',
    value: 'SIGNAL',
    completes: 'signal',
    help: 'send the program this first (default: --stop-signal)',
  },
  { name: 'forget', help: 'forget its command and options too: restart and list know it no more' },
  { name: 'follow', short: 'f', help: 'go on with what is written from now on, over rotation and truncation' },
  { name: 'lines', short: 'n', value: 'N', help: 'how many lines from the end (default: 10)' },
  { name: 'names', help: 'only the names, one a line' },
  { name: 'json', help: 'print JSON, errors too' },
  { name: 'help', short: 'h', help: 'show this' },
] as const satisfies readonly Option[];

export type OptionName = (typeof table)[number]['name'];

export const OPTIONS = new Map<OptionName, Option>(table.map((option) => [option.name, option]));

/** What start and run take, in the order of the help. */
export const DAEMON_OPTIONS = table
  .map(({ name }) => name)
  .slice(
    0,
    table.findIndex(({ name }) => name === 'config'),
  ) as OptionName[];

/** Options that the config file can't give: it has not been read yet, or they only make sense for one call. */
const NOT_IN_CONFIG: readonly OptionName[] = ['config', 'json', 'help', 'forget', 'names'];

/** The key of the config file: `maxBytes`. */
export function configKey(name: OptionName): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** The environment variable: `POSIX_DAEMON_MAX_BYTES`. */
export function variable(name: OptionName): string {
  return `POSIX_DAEMON_${name.replaceAll('-', '_').toUpperCase()}`;
}

/** The options that the config file may give, by its keys. */
export const CONFIG_KEYS: ReadonlyMap<string, OptionName> = new Map(
  table.filter(({ name }) => !NOT_IN_CONFIG.includes(name)).map(({ name }) => [configKey(name), name]),
);
