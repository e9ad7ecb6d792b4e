import { COMMAND_WORDS, COMMANDS, type Command } from '../arguments/commands.js';
import { OPTIONS, type Option } from '../arguments/options.js';

const WORDS: Record<Command['operands'], string> = {
  none: '',
  names: '$(posix-daemon list --names 2>/dev/null)',
  name: '$(posix-daemon list --names 2>/dev/null)',
  program: '',
  command: COMMAND_WORDS.join(' '),
  shell: 'bash zsh',
};

const ACTIONS: Record<NonNullable<Option['completes']>, string> = {
  file: 'COMPREPLY=($(compgen -f -- "$word"))',
  folder: 'COMPREPLY=($(compgen -d -- "$word"))',
  signal: 'COMPREPLY=($(compgen -A signal -- "$word"))',
  user: 'COMPREPLY=($(compgen -u -- "$word"))',
  group: 'COMPREPLY=($(compgen -g -- "$word"))',
};

function words({ name, alias, options, operands }: Command): string {
  const flags = options.flatMap((option) => {
    const { short } = OPTIONS.get(option) as Option;
    return short ? [`-${short}`, `--${option}`] : [`--${option}`];
  });
  const pattern = alias ? `${name}|${alias}` : name;
  return `    ${pattern}) flags='${flags.join(' ')}'; operands="${WORDS[operands]}" ;;`;
}

function action({ completes, choices }: Option): string {
  if (choices) return `COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word")); `;
  return completes ? `${ACTIONS[completes]}; ` : '';
}

/** After an option that takes a value: what the value can be. */
function values(): string[] {
  const taking = [...OPTIONS.values()].filter(({ value }) => value !== undefined);
  return taking.map((option) => {
    const { name, short } = option;
    const pattern = short ? `--${name}|-${short}` : `--${name}`;
    return `    ${pattern}) ${action(option)}return ;;`;
  });
}

export function bash(): string {
  const programs = COMMANDS.filter(({ operands }) => operands === 'program').map(({ name }) => name);
  const takesValue = [...OPTIONS.values()].filter(({ value }) => value !== undefined).map(({ name }) => `--${name}`);
  return `# posix-daemon completion for bash: source <(posix-daemon completion bash)
_posix_daemon() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" flags operands i
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '${COMMAND_WORDS.join(' ')} --help --version' -- "$word"))
    return
  fi
  case "$command" in
    ${programs.join('|')})
      # From the first word that is no option on, the line is another command's.
      for ((i = 2; i < COMP_CWORD; i++)); do
        case "\${COMP_WORDS[i]}" in
          --) ((i++)); _posix_daemon_program "$i"; return ;;
          ${takesValue.join('|')}) ((i++)) ;;
          -*) ;;
          *) _posix_daemon_program "$i"; return ;;
        esac
      done ;;
  esac
  case "$before" in
${values().join('\n')}
  esac
  case "$command" in
${COMMANDS.map(words).join('\n')}
    *) return ;;
  esac
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ $command == @(${programs.join('|')}) ]]; then
    COMPREPLY=($(compgen -c -f -- "$word"))
  else
    COMPREPLY=($(compgen -W "$operands" -- "$word"))
  fi
}
_posix_daemon_program() {
  if declare -F _command_offset >/dev/null; then
    _command_offset "$1"
  elif (($1 == COMP_CWORD)); then
    COMPREPLY=($(compgen -c -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  else
    COMPREPLY=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
  fi
}
complete -o filenames -F _posix_daemon posix-daemon
`;
}
