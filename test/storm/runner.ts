// Runs a storm in a pid namespace of its own, and sees when the storm itself stands still.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { namespaceCommand, namespaceRefused } from '../helpers/namespace.js';
import { descendants, describe, kill } from '../helpers/processes.js';

const SILENCE_MS = 120_000; // longer than a few hung children take

export interface Storm {
  node: string;
  /** The storm, a script, and its arguments. */
  command: readonly [script: string, ...args: string[]];
  /** What is in its environment beside what is in ours. */
  env?: Readonly<Record<string, string>>;
  /** Gets what the storm prints, as it comes. */
  print: (text: string) => void;
}

/** Resolves with whether it ended well. */
export async function runStorm({ node, command: script, env: added, print }: Storm): Promise<boolean> {
  const command = [node, ...script];
  const refused = namespaceRefused();
  if (refused) print(`${refused}; the storm runs without\n`);
  // A shell is the namespace's first process: that one gets the orphans, and signals do less to it than to others.
  const [file, args] = refused
    ? [node, [...script]]
    : namespaceCommand(['sh', '-c', '"$@"; exit $?', 'sh', ...command]);
  const env: NodeJS.ProcessEnv = { ...process.env, ...added };
  delete env.NODE_TEST_CONTEXT;
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => {
    const below = descendants(child.pid as number);
    print(`no output for ${SILENCE_MS / 1000} s\n`);
    for (const pid of below) print(`process ${pid}:\n${describe(pid)}\n`);
    for (const pid of [...below, child.pid as number]) kill(pid);
  };
  let timer = setTimeout(end, SILENCE_MS);
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      clearTimeout(timer);
      timer = setTimeout(end, SILENCE_MS);
      print(text);
    });
  }
  try {
    const [code, signal] = await once(child, 'close');
    if (signal) print(`the storm itself ended with ${signal}\n`);
    return code === 0;
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}
