// The command line, taken apart by Node's own parser; what it leaves open (commands, suggestions, a program's own
// arguments) is decided here.
import { parseArgs } from 'node:util';
import { COMMAND_WORDS, type Command, findCommand } from './commands.js';
import { unknown, usage } from './errors.js';
import { OPTIONS, type Option, type OptionName } from './options.js';

/** An option's value as somebody wrote it: a switch is 'true' or 'false'. */
export interface Given {
  /** Who says so, for errors: '--umask', 'POSIX_DAEMON_UMASK', "umask in posix-daemon.json". */
  readonly origin: string;
  readonly value: string;
  /** The folder that a relative path starts from; the working directory by default. */
  readonly base?: string;
}

export interface Invocation {
  readonly command: Command;
  readonly flags: ReadonlyMap<OptionName, readonly Given[]>;
  readonly operands: readonly string[];
}

type ParseArgsOptions = NonNullable<Parameters<typeof parseArgs>[0]>['options'] & object;

/** Whether this command line asks for JSON: also before it is known to be right. */
export function asksForJson(args: readonly string[]): boolean {
  if (/^(1|true|yes|on)$/i.test(process.env.POSIX_DAEMON_JSON ?? '')) return true;
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}

/**
 * @throws ERR_UNKNOWN_COMMAND, ERR_UNKNOWN_OPTION with the nearest as `suggestion`; ERR_INVALID_ARG_VALUE for an option
 * without its value or with one too many; ERR_UNEXPECTED_OPERAND
 */
export function parseCommandLine([word = 'help', ...args]: readonly string[]): Invocation {
  if (word === '--help' || word === '-h') return parseCommandLine(['help', ...args]);
  const command = findCommand(word);
  if (!command) {
    if (word.startsWith('-')) throw unknown('ERR_UNKNOWN_OPTION', 'option', word, ['--help', '--version']);
    throw unknown('ERR_UNKNOWN_COMMAND', 'command', word, COMMAND_WORDS);
  }
  return { command, ...parseOptions(command, args) };
}

function parseOptions(command: Command, args: string[]): Omit<Invocation, 'command'> {
  const options: ParseArgsOptions = {};
  for (const name of command.options) {
    const { value, short } = OPTIONS.get(name) as Option;
    options[name] = { type: value ? 'string' : 'boolean', ...(short ? { short } : {}) };
  }
  const flags = new Map<OptionName, Given[]>();
  const operands: string[] = [];
  const { tokens } = parseArgs({ args, options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind === 'option') {
      const [name, given] = optionGiven(command, token);
      flags.set(name, [...(flags.get(name) ?? []), given]);
      continue;
    }
    // From the first word on everything is the program's: its options are not ours.
    const rest = args.slice(token.kind === 'positional' ? token.index : token.index + 1);
    if (command.operands === 'program' || token.kind === 'option-terminator') {
      operands.push(...rest);
      break;
    }
    operands.push(token.value);
  }
  checkCount(command, operands);
  return { flags, operands };
}

interface OptionToken {
  name: string;
  rawName: string;
  value: string | undefined;
  inlineValue: boolean | undefined;
}

function optionGiven(command: Command, { name, rawName, value, inlineValue }: OptionToken): [OptionName, Given] {
  const positive = name.replace(/^no-/, '') as OptionName;
  const known = command.options.includes(name as OptionName);
  const negated = !known && command.options.includes(positive) && OPTIONS.get(positive)?.value === undefined;
  if (!known && !negated) {
    const words = command.options.map((option) => `--${option}`);
    throw unknown('ERR_UNKNOWN_OPTION', `option of ${command.name}`, rawName, words);
  }
  const option = OPTIONS.get(negated ? positive : (name as OptionName)) as Option;
  if (option.value === undefined) {
    if (value !== undefined) throw usage('ERR_INVALID_ARG_VALUE', `${rawName} takes no value. Received '${value}'`);
    return [option.name as OptionName, { origin: rawName, value: String(!negated) }];
  }
  const looksLikeOption = !inlineValue && /^-[^\d]/.test(value ?? '');
  if (value === undefined || looksLikeOption) {
    const hint = looksLikeOption ? `; if '${value}' is meant, write --${option.name}=${value}` : '';
    throw usage('ERR_INVALID_ARG_VALUE', `${rawName} needs a value: ${rawName} ${option.value}${hint}`);
  }
  return [option.name as OptionName, { origin: rawName, value }];
}

const MOST: Record<Command['operands'], number> = {
  none: 0,
  name: 1,
  command: 1,
  shell: 1,
  names: Number.POSITIVE_INFINITY,
  program: Number.POSITIVE_INFINITY,
};

function checkCount(command: Command, operands: readonly string[]): void {
  const surplus = operands[MOST[command.operands]];
  if (surplus === undefined) return;
  throw usage('ERR_UNEXPECTED_OPERAND', `${command.name} has no use for '${surplus}'`);
}
