// Starts test/fixtures/plain-daemon.ts. All its processes have the folder among their arguments, and no other process has.
import type { SpawnOptions } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { DaemonizeOptions } from 'posix-daemon';
import { hasEnded } from './exec.js';
import { fixturePath, type Outcome, startProgram, until } from './fixture.js';
import { kill } from './processes.js';

export const MODES = ['fork', 'exec'] as const;
export type Mode = (typeof MODES)[number];

export function command(folder: string, options: DaemonizeOptions): string[] {
  return [process.execPath, fixturePath('plain-daemon'), folder, JSON.stringify(options)];
}

/** Runs a start to its end; what becomes of it is looked at in the folder. `wrap` is put in front of the command. */
export function run(
  t: TestContext,
  folder: string,
  options: DaemonizeOptions,
  { wrap = [], args = [], ...spawnOptions }: SpawnOptions & { wrap?: readonly string[]; args?: readonly string[] } = {},
): Promise<Outcome> {
  const [file, ...rest] = [...wrap, ...command(folder, options), ...args];
  return startProgram(t, file as string, rest, spawnOptions).outcome;
}

/** A folder of a test. */
export function testFolder(t: TestContext): string {
  const { folder, remove } = makeFolder();
  t.after(remove);
  return folder;
}

/** The live ones. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isNode(pid, folder) && !hasEnded(pid));
}

// Without what it was started by, such as a shell.
function isNode(pid: number, folder: string): boolean {
  try {
    const [, script, mark] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    return script === fixturePath('plain-daemon') && mark === folder;
  } catch {
    return false;
  }
}

export async function killAll(folder: string): Promise<void> {
  await until('nothing is left', () => {
    const left = processesOf(folder);
    for (const pid of left) kill(pid);
    return left.length === 0;
  });
}

/** A folder that every user may enter; nothing of it is left afterwards. */
export function makeFolder(): { folder: string; remove(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-plain-'));
  chmodSync(folder, 0o755);
  return {
    folder,
    async remove() {
      await killAll(folder);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
