// Every command there is. What it does is loaded when it is run.
import { DAEMON_OPTIONS, type OptionName } from './options.js';
import type { Invocation } from './parse.js';

/** What a command gets besides options. */
export type Operands = 'none' | 'names' | 'name' | 'program' | 'command' | 'shell';

export interface Command {
  readonly name: string;
  readonly alias?: string;
  readonly operands: Operands;
  readonly summary: string;
  readonly description: string;
  readonly options: readonly OptionName[];
  readonly examples: readonly string[];
  /** Resolves to the exit code. */
  run(invocation: Invocation): Promise<number>;
}

export const OPERANDS: Record<Operands, string> = {
  none: '',
  names: '[NAME…]',
  name: '[NAME]',
  program: '[--] PROGRAM [ARG…]',
  command: '[COMMAND]',
  shell: 'bash|zsh',
};

const COMMON: readonly OptionName[] = ['json', 'help'];

export const COMMANDS: readonly Command[] = [
  {
    name: 'start',
    operands: 'program',
    summary: 'make a daemon of a program',
    description: `Starts a program in the background, in a session of its own, with its output in a log, and returns when it
runs. A file that ends in .js, .mjs or .cjs (.ts, where this Node runs it) is run by this Node. If it can't be started,
the reason is printed, the exit code is 1 and nothing is left behind. With --restart it is started again when it ends.`,
    options: [...DAEMON_OPTIONS, 'config', ...COMMON],
    examples: [
      'posix-daemon start server.js --port 8080',
      'posix-daemon start --name web --up-ms 500 --env NODE_ENV=production -- node server.js',
      'posix-daemon start --restart always --workers 4 server.js',
      'posix-daemon start --user www-data --rlimit nofile=65536 -- /usr/local/bin/gateway',
    ],
    run: async (invocation) => (await import('../commands/start.js')).start(invocation),
  },
  {
    name: 'status',
    alias: 'state',
    operands: 'names',
    summary: 'tell whether a daemon runs',
    description: `Exit code 0: all of them run. 3: one doesn't run. 1: one is dead and has left its pid file. 4: it can't be found
out. Without a name: all daemons.`,
    options: ['config', ...COMMON],
    examples: ['posix-daemon status web', 'posix-daemon status web --json'],
    run: async (invocation) => (await import('../commands/status.js')).status(invocation),
  },
  {
    name: 'stop',
    operands: 'names',
    summary: 'end a daemon, and wait until it has ended',
    description: `Sends the program its stop signal, waits until it has ended, and kills it if that takes too long. A daemon that
doesn't run is no error; what a dead one left is removed.`,
    options: ['timeout', 'signal', 'forget', 'config', ...COMMON],
    examples: ['posix-daemon stop web', 'posix-daemon stop web --timeout 30000'],
    run: async (invocation) => (await import('../commands/stop.js')).stop(invocation),
  },
  {
    name: 'restart',
    operands: 'names',
    summary: 'stop a daemon and start it as it was started',
    description: `Starts it again when the old one is gone: the same command, working directory, environment and options, wherever
this is called. One that doesn't run is started.`,
    options: ['timeout', 'signal', 'config', ...COMMON],
    examples: ['posix-daemon restart web'],
    run: async (invocation) => (await import('../commands/restart.js')).restart(invocation),
  },
  {
    name: 'logs',
    operands: 'name',
    summary: 'show the end of its logs',
    description: 'Prints the last lines that the daemon has written. With --follow it goes on until Ctrl-C.',
    options: ['follow', 'lines', 'config', ...COMMON],
    examples: ['posix-daemon logs web', 'posix-daemon logs -f -n 100 web'],
    run: async (invocation) => (await import('../commands/logs.js')).logs(invocation),
  },
  {
    name: 'list',
    operands: 'none',
    summary: 'list all daemons of this user',
    description: 'One line for each daemon that runs, has died or can be restarted.',
    options: ['names', ...COMMON],
    examples: ['posix-daemon list', 'posix-daemon list --json'],
    run: async (invocation) => (await import('../commands/list.js')).list(invocation),
  },
  {
    name: 'run',
    operands: 'program',
    summary: 'the same as start, in the foreground',
    description: `Runs a program as start does, but stays: Ctrl-C reaches it, its output comes here unless a log is named, and the
exit code is its own. status and stop know it meanwhile.`,
    options: [...DAEMON_OPTIONS.filter((name) => name !== 'up-ms'), 'config', ...COMMON],
    examples: ['posix-daemon run server.js', 'posix-daemon run --name web --log web.log -- node server.js'],
    run: async (invocation) => (await import('../commands/run.js')).run(invocation),
  },
  {
    name: 'help',
    operands: 'command',
    summary: 'explain a command',
    description: 'Explains a command, its options and its exit codes. Without one: lists the commands.',
    options: COMMON,
    examples: ['posix-daemon help start'],
    run: async (invocation) => (await import('../commands/help.js')).help(invocation),
  },
  {
    name: 'completion',
    operands: 'shell',
    summary: 'print the completion for a shell',
    description: 'Prints a script that has bash or zsh complete commands, options and the names of daemons.',
    options: COMMON,
    examples: [
      'source <(posix-daemon completion bash)',
      'posix-daemon completion zsh > "$' + '{fpath[1]}/_posix-daemon"',
    ],
    run: async (invocation) => (await import('../commands/completion.js')).completion(invocation),
  },
];

/** The words that call a command. */
export const COMMAND_WORDS = COMMANDS.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias]));

export function findCommand(word: string): Command | undefined {
  return COMMANDS.find(({ name, alias }) => name === word || alias === word);
}
