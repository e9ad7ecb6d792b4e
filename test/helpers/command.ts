// Runs the command posix-daemon with a state folder of the test's own; what it has started is dead when the test ends.
import assert from 'node:assert/strict';
import type { SpawnOptions as AnySpawnOptions } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openProcess, PidFile } from 'posix-daemon';
import { hasEnded } from './exec.js';
import { type Outcome, type Running, startProgram } from './fixture.js';
import { killHeld } from './processes.js';

/** The bundle that users run. */
export const COMMAND = fileURLToPath(import.meta.resolve('#dist/posix-daemon.cjs'));

/** With `via`, a program that runs the one that its arguments name. */
type SpawnOptions = AnySpawnOptions & { via?: readonly string[] };

export interface Sandbox {
  /** The working directory of its commands. */
  readonly folder: string;
  /** The state folder. */
  readonly home: string;
  /** Starts the command. */
  begin(args: readonly string[], options?: SpawnOptions): Running;
  /** Runs the command to its end. */
  run(args: readonly string[], options?: SpawnOptions): Promise<Outcome>;
  /** The same; it has to succeed, and says this on standard output. */
  ok(args: readonly string[], options?: SpawnOptions): Promise<string>;
  /** The same with --json. */
  json<T = Record<string, unknown>>(args: readonly string[], options?: SpawnOptions): Promise<T>;
  /** Starts a daemon and returns its program's pid. */
  start(args: readonly string[], options?: SpawnOptions): Promise<number>;
  /** Writes a file into the working directory. */
  write(name: string, text: string, mode?: number): string;
}

/** What of the runner's environment the command is to see. */
function environment(home: string): NodeJS.ProcessEnv {
  const { PATH, HOME, TERM, ASAN_OPTIONS, LD_PRELOAD, POSIX_DAEMON_PREBUILD } = process.env;
  const own = { PATH, HOME, TERM, ASAN_OPTIONS, LD_PRELOAD, POSIX_DAEMON_PREBUILD, POSIX_DAEMON_HOME: home };
  return Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
}

export function sandbox(t: TestContext): Sandbox {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-cli-'));
  chmodSync(folder, 0o755);
  const home = join(folder, 'home');
  t.after(async () => {
    await endAll(home);
    rmSync(folder, { recursive: true, force: true });
  });
  const begin: Sandbox['begin'] = (args, { env, via = [], ...options } = {}) => {
    const [file, ...rest] = [...via, process.execPath, COMMAND, ...args] as [string, ...string[]];
    return startProgram(t, file, rest, { cwd: folder, env: { ...environment(home), ...env }, ...options });
  };
  const run: Sandbox['run'] = (args, options) => begin(args, options).outcome;
  const ok: Sandbox['ok'] = async (args, options) => {
    const { code, signal, stdout, stderr } = await run(args, options);
    assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: '' }, args.join(' '));
    return stdout;
  };
  return {
    folder,
    home,
    begin,
    run,
    ok,
    async json<T>(args: readonly string[], options?: SpawnOptions) {
      const [command = '', ...rest] = args;
      return JSON.parse((await run([command, '--json', ...rest], options)).stdout) as T;
    },
    async start(args, options) {
      const [, pid] = /: started, pid (\d+)\n$/.exec(await ok(['start', ...args], options)) ?? [];
      return Number(pid);
    },
    write(name, text, mode = 0o644) {
      const path = join(folder, name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    },
  };
}

/** Kills the keepers of a state folder, and by that their programs; waits until they have ended. */
async function endAll(home: string): Promise<void> {
  for (const pid of keepersOf(home)) {
    if (hasEnded(pid) || !readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('posix-daemon')) continue;
    const keeper = openProcess(pid);
    killHeld(keeper);
    await keeper.wait();
    keeper.close();
  }
}

function keepersOf(home: string): number[] {
  if (!existsSync(home)) return [];
  return readdirSync(home, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.pid'))
    .flatMap(({ name }) => PidFile.read(join(home, name)) ?? []);
}

/** The `via` of a shell that does this first. */
export function afterShell(script: string): readonly string[] {
  return ['sh', '-c', `${script}; exec "$@"`, 'sh'];
}

/** A program that prints what it got as one line of JSON, and stays. */
export const SELF = `
const { argv, env, pid } = process;
console.log(JSON.stringify({ argv: argv.slice(2), cwd: process.cwd(), env, pid, umask: process.umask() }));
setInterval(() => {}, 1000);
`;
