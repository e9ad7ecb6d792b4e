// Runs test/fixtures/ring-traffic on one Node, as on Linux 5.13 if wanted.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fixturePath } from '../helpers/fixture.js';
import { killSession } from '../helpers/processes.js';

export interface Traffic {
  /** Path of the node binary. */
  node: string;
  seconds: number;
  env: NodeJS.ProcessEnv;
}

const GRACE_MS = 60_000;

/** What it printed; `ok` if both sides got through. */
export async function runTraffic({ node, seconds, env }: Traffic): Promise<{ ok: boolean; output: string }> {
  const child = spawn(node, [fixturePath('ring-traffic'), String(seconds)], { env, detached: true });
  const session = child.pid as number;
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const timer = setTimeout(
    () => {
      output += 'no end in time\n';
      killSession(session);
    },
    seconds * 1000 + GRACE_MS,
  );
  try {
    const [code] = await once(child, 'close');
    return { ok: code === 0, output };
  } finally {
    clearTimeout(timer);
    killSession(session);
  }
}
