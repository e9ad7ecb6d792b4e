// Starts test/fixtures/daemon.ts and talks to the daemon it becomes. Whatever is left of it when the test ends is killed,
// found by the folder's name, which is in the arguments and the environment of all its processes and of no other one.
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { DaemonizeOptions } from 'posix-daemon';
import { type Outcome, type Running, type Scope, startFixture, until } from './fixture.js';
import { kill } from './processes.js';

export interface TestDaemon {
  pid: number;
  /** Has it carry out one of the fixture's commands. */
  ask<T = unknown>(command: string, ...args: unknown[]): Promise<T>;
  /** Ends it in an orderly way, and waits for that. */
  end(): Promise<void>;
}

export interface Launch {
  /** A folder of its own, which the daemon's user may enter. */
  folder: string;
  starter: Running;
  /** The daemon; rejects with what the starter printed if there won't be one. */
  daemon: Promise<TestDaemon>;
}

type LaunchOptions = Parameters<typeof startFixture>[3] & {
  /** What the fixture does before it calls daemonize(). */
  prepare?: readonly string[];
  /** Called as soon as the starter runs. */
  onStart?: (starter: Running) => void;
};

/** The live processes that a folder's name leads to. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    return pid > 0 && pid !== process.pid && mentions(name, folder) ? [pid] : [];
  });
}

function mentions(pid: string, folder: string): boolean {
  return ['cmdline', 'environ'].some((file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(folder);
    } catch {
      return false; // ended, or a kernel thread
    }
  });
}

/** A folder for one daemon; everything that names it is killed when the scope ends. */
export function daemonFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-daemon-'));
  chmodSync(folder, 0o755);
  scope.after(async () => {
    await until('nothing is left of the daemon', () => {
      const left = processesOf(folder);
      for (const pid of left) kill(pid);
      return left.length === 0;
    });
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Waits for the daemon on FOLDER/socket. */
export async function awaitDaemon(scope: Scope, folder: string): Promise<TestDaemon> {
  const server = createServer().listen(`${folder}/socket`);
  scope.after(() => server.close());
  await once(server, 'listening');
  chmodSync(`${folder}/socket`, 0o777);
  const [socket] = (await once(server, 'connection', { signal: AbortSignal.timeout(20_000) })) as [Socket];
  scope.after(() => socket.destroy());
  server.close();
  socket.on('error', () => {}); // killed with something on the way
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  const next = async () => {
    const { done, value } = await lines.next();
    if (done) throw new Error('the daemon ended without an answer');
    return JSON.parse(value);
  };
  const { pid } = await next();
  return {
    pid,
    async ask(command, ...args) {
      socket.write(`${JSON.stringify([command, ...args])}\n`);
      const { value, error } = await next();
      if (error !== undefined) throw new Error(error);
      return value;
    },
    async end() {
      socket.end();
      await until('the daemon has ended', () => !mentions(`${pid}`, folder));
    },
  };
}

/** The arguments that have a Node run the fixture. */
export function daemonArguments(folder: string, options: DaemonizeOptions, prepare: readonly string[] = []): string[] {
  return [folder, JSON.stringify(options), ...prepare];
}

/** Starts the fixture; `options` may depend on the folder. */
export function launch(
  scope: Scope,
  options: DaemonizeOptions | ((folder: string) => DaemonizeOptions) = {},
  { prepare = [], onStart, ...spawnOptions }: LaunchOptions = {},
): Launch {
  const folder = daemonFolder(scope);
  const given = typeof options === 'function' ? options(folder) : options;
  const { uid, gid } = spawnOptions;
  if (uid !== undefined && gid !== undefined) chownSync(folder, uid, gid);
  const connected = awaitDaemon(scope, folder);
  const starter = startFixture(scope, 'daemon', daemonArguments(folder, given, prepare), {
    ...spawnOptions,
    // From version 22 on Node reads this file in a thread as it starts: a fork meanwhile has two threads read it, from one
    // file position, and now and then both say that it is damaged.
    env: { ...(spawnOptions.env ?? process.env), NODE_EXTRA_CA_CERTS: undefined, POSIX_DAEMON_TEST: folder },
  });
  onStart?.(starter);
  const daemon = Promise.race([connected, starter.outcome.then(failed(connected))]);
  daemon.catch(() => {});
  return { folder, starter, daemon };
}

function failed(connected: Promise<TestDaemon>) {
  return ({ code, signal, stderr }: Outcome) => {
    if (code === 0) return connected;
    throw new Error(`the starter ended with ${code ?? signal}: ${stderr}`);
  };
}

/** A starter's outcome, which there is not as long as somebody has its pipes or its terminal open. */
async function inTime(outcome: Promise<Outcome>): Promise<Outcome> {
  const late = delay(20_000, undefined, { ref: false }).then(() => {
    throw new Error('the starter runs, or the daemon has its outputs open');
  });
  return Promise.race([outcome, late]);
}

export interface StartedDaemon extends TestDaemon {
  folder: string;
  starter: Outcome & { pid: number };
}

/** Starts the fixture, and waits until it is a daemon and the starter has ended. */
export async function startDaemon(...args: Parameters<typeof launch>): Promise<StartedDaemon> {
  const { folder, starter, daemon } = launch(...args);
  return { ...(await daemon), folder, starter: { pid: starter.pid, ...(await inTime(starter.outcome)) } };
}
