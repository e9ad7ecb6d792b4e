// A terminal for a program: what a person at a keyboard would see and do.

/**
 * Runs a program on a terminal of its own; reads pairs of what to wait for and what to type then, as JSON, and prints what
 * was on the screen and how the program ended.
 */
const SCRIPT = `
import json, os, pty, select, sys, time
steps = json.loads(sys.argv[1])
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
screen, seen, deadline = b'', 0, time.monotonic() + 20
while True:
    if steps and (at := screen.find(steps[0][0].encode(), seen)) != -1:
        seen = at + len(steps[0][0].encode())
        os.write(master, steps.pop(0)[1].encode())
        continue
    if not select.select([master], [], [], max(0, deadline - time.monotonic()))[0]:
        os.kill(pid, 9)
        sys.exit('not seen: ' + repr(steps[:1]) + ' in ' + repr(screen))
    try:
        more = os.read(master, 65536)
    except OSError:
        more = b''
    if not more:
        break
    screen += more
status = os.waitpid(pid, 0)[1]
print(json.dumps({'screen': screen.decode(), 'code': os.waitstatus_to_exitcode(status)}))
`;

export interface OnTerminal {
  screen: string;
  /** Negative: the signal that ended it. */
  code: number;
}

/** The `via` that gives a command a terminal. */
export function onTerminal(steps: readonly (readonly [expected: string, typed: string])[]): readonly string[] {
  return ['python3', '-c', SCRIPT, JSON.stringify(steps)];
}
