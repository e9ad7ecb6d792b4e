import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../load-addon.js';
import { asksForJson } from '../arguments/parse.js';
import { print } from '../output/terminal.js';

export async function version(args: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const node = process.versions.node;
  print(asksForJson(args) ? `${JSON.stringify({ version, node })}\n` : `posix-daemon ${version}, Node ${node}\n`);
  return 0;
}
