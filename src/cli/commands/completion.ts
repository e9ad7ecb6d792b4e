import type { Invocation } from '../arguments/parse.js';
import { bash } from '../completion/bash.js';
import { zsh } from '../completion/zsh.js';
import { unknown, usage } from '../errors.js';
import { print } from '../output/terminal.js';

const SHELLS: Record<string, () => string> = { bash, zsh };

export async function completion({ operands: [shell], flags }: Invocation): Promise<number> {
  const known = Object.keys(SHELLS);
  if (shell === undefined) throw usage('ERR_MISSING_OPERAND', `completion needs the shell: ${known.join(' or ')}`);
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (!script) throw unknown('ERR_UNKNOWN_SHELL', 'shell', shell, known);
  print(flags.has('json') ? `${JSON.stringify({ shell, script: script() })}\n` : script());
  return 0;
}
