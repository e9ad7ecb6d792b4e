import { COMMAND_WORDS, COMMANDS, type Command, findCommand, OPERANDS } from '../commands.js';
import { unknown } from '../errors.js';
import { CONFIG_KEYS, configKey, OPTIONS, type Option, type OptionName, variable } from '../options.js';
import type { Invocation } from '../parse.js';
import { painter, print } from '../terminal.js';

type Paint = ReturnType<typeof painter>;

const INDENT = '  ';

export async function help({ flags, operands: [word] }: Invocation): Promise<number> {
  const command = word === undefined ? undefined : (findCommand(word) ?? refuse(word));
  const paint = painter(process.stdout);
  if (flags.has('json')) print(`${JSON.stringify(command ? asJson(command) : { commands: COMMANDS.map(asJson) })}\n`);
  else print(command ? ofCommand(command, paint) : overview(paint));
  return 0;
}

function refuse(word: string): never {
  throw unknown('ERR_UNKNOWN_COMMAND', 'command', word, COMMAND_WORDS);
}

function asJson({ name, alias, summary, options, operands, examples }: Command): object {
  const described = options.map((option) => {
    const { value, short, help } = OPTIONS.get(option) as Option;
    const key = configKey(option);
    const elsewhere = CONFIG_KEYS.has(key) ? { variable: variable(option), configKey: key } : {};
    return { name: option, short, value, help, ...elsewhere };
  });
  return { name, alias, summary, operands: OPERANDS[operands], options: described, examples };
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${INDENT}${left.padEnd(width)}  ${right}`);
}

function overview(paint: Paint): string {
  return [
    paint('bold', 'posix-daemon COMMAND [OPTION…]'),
    '',
    'Makes a daemon of any program, and controls it.',
    '',
    paint('bold', 'Commands'),
    ...columns(COMMANDS.map(({ name, alias, summary }) => [alias ? `${name}, ${alias}` : name, summary])),
    '',
    paint('bold', 'Examples'),
    ...COMMANDS.slice(0, 3).flatMap(({ examples: [first = ''] }) => INDENT + first),
    '',
    'posix-daemon help COMMAND explains a command; posix-daemon --version tells the version.',
    '',
  ].join('\n');
}

function optionRow(name: OptionName): [string, string] {
  const { short, value, help } = OPTIONS.get(name) as Option;
  return [`${short ? `-${short}, ` : ''}--${name}${value ? ` ${value}` : ''}`, help];
}

function ofCommand(command: Command, paint: Paint): string {
  const { name, alias, operands, description, options, examples } = command;
  const words = alias ? `${name}|${alias}` : name;
  return [
    paint('bold', ['posix-daemon', words, '[OPTION…]', OPERANDS[operands]].filter(Boolean).join(' ')),
    '',
    description,
    '',
    paint('bold', 'Options'),
    ...columns(options.map(optionRow)),
    '',
    paint('bold', 'Examples'),
    ...examples.map((example) => INDENT + example),
    '',
    ...(name === 'start' || name === 'run'
      ? [
          'Options also come from POSIX_DAEMON_… variables (POSIX_DAEMON_MAX_BYTES), then from the config file (maxBytes).',
          '',
        ]
      : []),
  ].join('\n');
}
