// Starts the native keeper as a supervisor, and hears its events. Whatever came of it is dead when the test ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { openProcess, type ProcessHandle } from 'posix-daemon';
import { keeperPath } from '#dist/daemon/keeper.js';
import { procStatus, until } from './fixture.js';
import { killHeld } from './processes.js';

export interface SupervisedEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stderr: string;
}

export interface Supervised {
  keeper: ChildProcess;
  pid: number;
  /** The fields of the next event of that kind, behind its name. */
  event(kind: string): Promise<string[]>;
  /** The next program to run, by the `spawn` event. */
  program(): Promise<{ worker: number; pid: number; guard: number; handle: ProcessHandle }>;
  /** A command of the control pipe. */
  tell(command: string): void;
  /** The next line that a program writes to standard output. */
  line(): Promise<string>;
  /** Keeps a process in sight, and ends it with the test. */
  hold(pid: number): ProcessHandle;
  ended: Promise<SupervisedEnd>;
}

/** Supervises `sh -c script`; without backing off unless the flags say so. */
export function supervise(t: TestContext, script: string, ...flags: string[]): Supervised {
  return superviseProgram(t, ['/bin/sh', 'sh', '-c', script], '--tree', ...flags);
}

/** The same, but nothing is done about what the program starts. */
export function superviseAlone(t: TestContext, script: string, ...flags: string[]): Supervised {
  return superviseProgram(t, ['/bin/sh', 'sh', '-c', script], ...flags);
}

export function superviseProgram(t: TestContext, program: readonly string[], ...flags: string[]): Supervised {
  return start(t, [], program, flags);
}

/** The same by a command that executes its arguments. */
export function superviseThrough(t: TestContext, through: readonly string[], script: string, ...flags: string[]) {
  return start(t, through, ['/bin/sh', 'sh', '-c', script], flags);
}

function start(
  t: TestContext,
  through: readonly string[],
  program: readonly string[],
  flags: readonly string[],
): Supervised {
  const handles: ProcessHandle[] = [];
  const hold = (pid: number) => {
    const handle = openProcess(pid);
    handles.push(handle);
    return handle;
  };
  const all = ['--events-fd', '3', '--control-fd', '4', '--restart', 'always', '--backoff', '0:0:1:0:10000'];
  const command = [...through, keeperPath(), 'run', ...all, ...flags, '--', ...program];
  const keeper = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  t.after(() => {
    keeper.kill('SIGKILL');
    for (const handle of handles) {
      killHeld(handle);
      handle.close();
    }
  });
  const events = linesOf(keeper.stdio[3] as Socket);
  const lines = linesOf(keeper.stdout as Socket);
  const event = async (kind: string) => {
    const line = await events((one) => one.startsWith(`${kind} `));
    return line.split(' ').slice(1);
  };
  const control = keeper.stdio[4] as Socket;
  control.on('error', () => {}); // it ended before it had read
  let stderr = '';
  keeper.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return {
    keeper,
    pid: keeper.pid as number,
    event,
    async program() {
      const [worker, pid] = (await event('spawn')).map(Number) as [number, number];
      return { worker, pid, guard: Number(procStatus(pid, 'PPid')), handle: hold(pid) };
    },
    tell: (command) => control.write(`${command}\n`),
    line: () => lines(() => true),
    hold,
    ended: once(keeper, 'close').then(([code, signal]) => ({ code, signal, stderr })),
  };
}

/** Takes the first line that fits, and leaves those before it. */
function linesOf(stream: Socket): (fits: (line: string) => boolean) => Promise<string> {
  const backlog: string[] = [];
  let closed = false;
  createInterface({ input: stream })
    .on('line', (line) => backlog.push(line))
    .on('close', () => {
      closed = true;
    });
  return (fits) =>
    until('a line', () => {
      const at = backlog.findIndex(fits);
      if (at === -1 && closed) throw new Error(`no more lines; there were ${JSON.stringify(backlog)}`);
      return at !== -1 && (backlog.splice(at, 1)[0] as string);
    });
}
