// Runs one area of the suite in one way: unforked, in a forked child, or in that one's child.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, killSession, sessionMembers } from '../helpers/processes.js';

/** How often the process forks before the area runs, by what runs it. */
export const DEPTHS = { unforked: 0, child: 1, grandchild: 2 } as const;
export type Depth = keyof typeof DEPTHS;

export interface Combination {
  /** Path of the node binary. */
  node: string;
  area: string;
  depth: Depth;
}

export interface Result extends Combination {
  ok: boolean;
  output: string;
}

const DEADLINE_MS = 60_000;
const folder = new URL('./areas/', import.meta.url);
const preload = fileURLToPath(new URL('./preload.js', import.meta.url));

/** What each area reads from its standard input, if it reads any. */
export const STDIN = Array.from({ length: 4096 }, (_, i) => `line ${i} of the standard input\n`).join('');

// Only what differs from "no flags, ends with status 0".
const FLAGS: Partial<Record<string, string[]>> = {
  gc: ['--expose-gc'],
  jit: ['--allow-natives-syntax'],
};
const ENDS: Partial<Record<string, { code: number | null; signal?: NodeJS.Signals; output?: RegExp }>> = {
  'exit-code': { code: 37, output: /^exit event: 37$/m },
  'exit-before-exit': { code: 0, output: /^beforeExit 1\nbeforeExit 2\nexit event: 0$/m },
  'exit-exception': { code: 1, output: /Error: thrown in a timer\n\s+at / },
  'exit-rejection': { code: 1, output: /Error: rejected in vain\n\s+at / },
  'exit-signal': { code: null, signal: 'SIGTERM' },
  'exit-abort': { code: null, signal: 'SIGABRT' },
  'exit-unsettled': { code: 13 },
};

/** The names of all areas. */
export function areas(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .sort();
}

/** Runs a combination to its end, or to a deadline, at which what its processes are doing goes into the output. */
export async function run({ node, area, depth }: Combination): Promise<Result> {
  const args = [...(FLAGS[area] ?? []), `--import=${preload}`, fileURLToPath(new URL(`${area}.js`, folder))];
  const env: NodeJS.ProcessEnv = { ...process.env, PRELOAD_FORKS: String(DEPTHS[depth]) };
  delete env.NODE_OPTIONS;
  delete env.NODE_TEST_CONTEXT; // an area is no part of the test run that starts it
  const child = spawn(node, args, { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  const session = child.pid as number;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  child.stdin.on('error', () => {}); // EPIPE: most areas read none of it
  child.stdin.end(STDIN);
  const timer = setTimeout(() => {
    output += `\nno end within ${DEADLINE_MS / 1000} s\n${sessionMembers(session).map(report).join('\n')}`;
    killSession(session);
  }, DEADLINE_MS);
  try {
    const [code, signal] = await once(child, 'close');
    const expected = { code: 0, ...ENDS[area] };
    const ok =
      code === expected.code && signal === (expected.signal ?? null) && (expected.output?.test(output) ?? true);
    if (!ok) output = `ended with ${signal ?? `status ${code}`}\n${output}`;
    return { node, area, depth, ok, output };
  } finally {
    clearTimeout(timer);
    killSession(session);
  }
}

function report(pid: number): string {
  return `process ${pid}:\n${describe(pid)}`;
}
