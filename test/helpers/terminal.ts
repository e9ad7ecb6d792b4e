// A pseudo-terminal around a program, which leads its session there as a login shell does.
import type { startFixture } from './fixture.js';

// Shows what the terminal shows, and types what it reads; at the end of its input it hangs up. It exits as the program does, when
// nobody has the terminal open any more.
const TERMINAL = `
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
sources = [terminal, 0]
while terminal in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            text = os.read(source, 65536)
        except OSError:
            text = b''
        if not text:
            sources.remove(source)
            if source == 0:
                os.close(terminal)
                sources = []
        else:
            os.write(1 if source == terminal else terminal, text)
status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(status if status >= 0 else 128 - status)
`;

/** The command that runs another one in a terminal of its own. */
export function terminalCommand(command: readonly string[]): [file: string, args: string[]] {
  return ['python3', ['-c', TERMINAL, ...command]];
}

/** Has a fixture run in a terminal. */
export function inTerminal(node = process.execPath): NonNullable<Parameters<typeof startFixture>[3]> {
  const [execPath, execArgv] = terminalCommand([node]);
  return { execPath, execArgv };
}
