// The Nodes that the package is tested with.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Their binaries, downloaded if they aren't there yet. */
export function fetchedNodes(): string[] {
  const script = fileURLToPath(new URL('../../../scripts/fetch-nodes.mjs', import.meta.url));
  return execFileSync(process.execPath, [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
    .split('\n')
    .filter(Boolean);
}

export function versionOf(node: string): string {
  return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
}
