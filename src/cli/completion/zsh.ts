import { COMMANDS, type Command } from '../arguments/commands.js';
import { OPTIONS, type Option, type OptionName } from '../arguments/options.js';

const OPERANDS: Record<Command['operands'], string[]> = {
  none: [],
  names: ['*:daemon:_posix_daemon_names'],
  name: ['1:daemon:_posix_daemon_names'],
  program: ['(-)1:program:_posix_daemon_programs', '*::arguments:_normal'],
  command: ['1:command:_posix_daemon_commands'],
  shell: ['1:shell:(bash zsh)'],
};

const ACTIONS: Record<NonNullable<Option['completes']>, string> = {
  file: '_files',
  folder: '_directories',
  signal: '_signals',
  user: '_users',
  group: '_groups',
};

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Colons and brackets mean something to _arguments. */
function escaped(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&');
}

function argument(name: OptionName): string[] {
  const { short, value, map, completes, choices, help } = OPTIONS.get(name) as Option;
  const action = choices ? `(${choices.map(escaped).join(' ')})` : completes ? ACTIONS[completes] : '';
  const what = value === undefined ? '' : `:${escaped(value.toLowerCase())}:${action}`;
  const description = `[${escaped(help)}]${what}`;
  const repeats = map ? '*' : '';
  const spellings = short ? [`-${short}`, `--${name}`] : [`--${name}`];
  return spellings.map((spelling) => quoted(`${repeats}${spelling}${description}`));
}

function branch({ name, alias, options, operands }: Command): string {
  const specs = [...options.flatMap(argument), ...OPERANDS[operands].map(quoted)];
  return `    ${alias ? `${name}|${alias}` : name})\n      _arguments -s -S ${specs.join(' \\\n        ')} ;;`;
}

export function zsh(): string {
  const commands = COMMANDS.flatMap(({ name, alias, summary }) =>
    [name, ...(alias ? [alias] : [])].map((word) => quoted(`${word}:${escaped(summary)}`)),
  );
  return `#compdef posix-daemon
# posix-daemon completion for zsh: put it as _posix-daemon into a folder of $fpath, or source it.
_posix_daemon_commands() {
  local -a commands=(${commands.join(' \\\n    ')})
  _describe command commands
}
_posix_daemon_names() {
  local -a names=(\${(f)"$(posix-daemon list --names 2>/dev/null)"})
  _describe daemon names
}
_posix_daemon_programs() {
  _alternative 'files:script:_files' 'commands:command:_path_commands'
}
_posix_daemon() {
  if ((CURRENT == 2)); then
    _posix_daemon_commands
    return
  fi
  local command=$words[2]
  # The options belong to the command, which is the word that they are completed for.
  shift words
  ((CURRENT--))
  case $command in
${COMMANDS.map(branch).join('\n')}
  esac
}
if [[ $funcstack[1] == _posix_daemon || $funcstack[1] == _posix-daemon ]]; then
  _posix_daemon "$@"
else
  compdef _posix_daemon posix-daemon
fi
`;
}
