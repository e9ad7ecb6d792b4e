// A pid namespace of its own for what signals groups or everyone: no signal gets out of it, and killing its first
// process ends all of it.
import type { SpawnOptions } from 'node:child_process';
import { spawnSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { type Outcome, startProgram } from './fixture.js';

// An ordinary user needs a user namespace around it, in which it is root.
const UNSHARE = [
  ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user']),
  '--pid',
  '--fork',
  '--mount-proc',
  '--kill-child',
];

/** The command that runs another in a pid namespace. */
export function namespaceCommand(command: readonly string[]): [file: string, args: string[]] {
  return ['unshare', [...UNSHARE, '--', ...command]];
}

/** Why there can be no pid namespace here, such as in a container without rights; undefined if there can. */
export function namespaceRefused(): string | undefined {
  const [file, args] = namespaceCommand(['true']);
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  return status === 0 ? undefined : `no pid namespace: ${error?.message ?? stderr.trim()}`;
}

/** Runs a program under a first process that collects orphans, in a pid namespace, to its end. */
export function inPidNamespace(
  t: TestContext,
  command: readonly string[],
  options: SpawnOptions = {},
): Promise<Outcome> {
  const [file, args] = namespaceCommand(['sh', '-c', '"$@"; exit $?', 'sh', ...command]);
  return startProgram(t, file, args, options).outcome;
}
