// Starts the native keeper as the command does, and looks at what it holds and leaves behind.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { pipe } from 'posix-daemon';
import { keeperPath } from '#dist/daemon/keeper.js';
import { temporaryDirectory } from './exec.js';
import { until } from './fixture.js';

const { O_RDWR, O_CREAT } = constants;

export interface KeepOptions {
  flags?: readonly string[];
  /** Where its files lie; a new folder if none is given. */
  folder?: string;
  /** Both streams into `log` of the folder, unless the flags say otherwise. */
  logged?: boolean;
  foreground?: boolean;
  env?: NodeJS.ProcessEnv;
  /** What runs the keeper: a command that executes its arguments. */
  through?: readonly string[];
  stdio?: 'ignore' | 'pipe';
}

export interface Kept {
  keeper: ChildProcess;
  pid: number;
  folder: string;
  log: string;
  pidFile: string;
  /** The line of its report, without the newline; '' if it ended without one. */
  report(): Promise<string>;
  /** The pid of the program, once it is ready. */
  program(): Promise<number>;
  /** Does as a starter that dies before it has read. */
  leave(): void;
  status(): Record<string, string>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
}

/** Starts a program under a keeper; both are dead when the test ends. */
export function keep(t: TestContext, program: readonly string[], options: KeepOptions = {}): Kept {
  const folder = options.folder ?? temporaryDirectory(t);
  const log = join(folder, 'log');
  const pidFile = join(folder, 'pid');
  const lock = openSync(pidFile, O_RDWR | O_CREAT, 0o644);
  if (!lockWhole(lock)) throw new Error(`${pidFile} is locked`);
  const [readFd, writeFd] = pipe();
  const flags = [
    ...['--name', 'test', '--pid-file', pidFile, '--lock-fd', '3', '--report-fd', '4'],
    ...['--status-file', join(folder, 'status')],
    ...(options.logged === false ? [] : ['--stdout', log, '--stderr', log]),
    ...(options.foreground ? ['--foreground'] : []),
    ...(options.flags ?? []),
  ];
  const command = [...(options.through ?? []), keeperPath(), 'run', ...flags, '--', ...program];
  const out = options.stdio ?? 'pipe';
  const keeper = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', out, out, lock, writeFd],
    detached: !options.foreground,
    ...(options.env && { env: options.env }),
  });
  closeSync(lock);
  closeSync(writeFd);
  t.after(() => keeper.kill('SIGKILL'));
  const report = lineOf(readFd);
  return {
    keeper,
    pid: keeper.pid as number,
    folder,
    log,
    pidFile,
    report: report.read,
    async program() {
      const line = await report.read();
      const [, pid] = /^ready (\d+)$/.exec(line) ?? [];
      if (!pid) throw new Error(`not ready: ${line}`);
      return Number(pid);
    },
    leave: report.close,
    status: () => readStatus(folder),
    ended: outcomeOf(keeper),
  };
}

/** A script that does nothing any more: while a program is loaded, it still opens and closes files. */
export const STOPPED = 'kill -STOP $$';

/** Runs `sh -c` under a keeper. */
export function keepShell(t: TestContext, script: string, options: KeepOptions = {}): Kept {
  return keep(t, ['/bin/sh', 'sh', '-c', script], options);
}

// Read by a thread only when somebody asks: a pipe with a read under way can't be closed.
export function lineOf(fd: number) {
  let text: Promise<string> | undefined;
  return {
    read() {
      text ??= open(`/proc/self/fd/${fd}`).then(async (file) => {
        closeSync(fd);
        const whole = await file.readFile('utf8');
        await file.close();
        return whole.replace(/\n$/, '');
      });
      return text;
    },
    close: () => closeSync(fd),
  };
}

async function outcomeOf(child: ChildProcess) {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code, signal] = await once(child, 'close');
  return { code, signal, stdout, stderr };
}

export function readStatus(folder: string): Record<string, string> {
  const lines = readFileSync(join(folder, 'status'), 'utf8').trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]));
}

/** Waits until a file has this in it, and returns all of it. */
export function untilFile(path: string, part: string | RegExp): Promise<string> {
  return until(`${path} has ${part}`, () => {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    return (typeof part === 'string' ? text.includes(part) : part.test(text)) && text;
  });
}

/** Whether anyone holds the lock of a pid file. */
export function isLocked(path: string): boolean {
  const fd = openSync(path, O_RDWR);
  try {
    return !lockWhole(fd);
  } finally {
    closeSync(fd);
  }
}

/** What a process's descriptors are, without the order. */
export function openFiles(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).map((fd) => readlinkSync(join(folder, fd)));
}

// The lock belongs to the open file, which the helper shares, and so outlives it.
function lockWhole(fd: number): boolean {
  const script = `
import fcntl, struct, sys
try: fcntl.fcntl(0, 37, struct.pack('hhqqi4x', fcntl.F_WRLCK, 0, 0, 0, 0))
except BlockingIOError: sys.exit(1)`;
  const { status, stderr } = spawnSync('python3', ['-Sc', script], { stdio: [fd, 'ignore', 'pipe'] });
  if (status !== 0 && status !== 1) throw new Error(String(stderr));
  return status === 0;
}
