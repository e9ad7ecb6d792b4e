// Fixtures in C: what Node has no call for.
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The options of a test that compiles something. */
export const needsCompiler = { skip: spawnSync('cc', ['--version']).status === 0 ? false : 'no C compiler' };

/** Compiles test/fixtures/NAME.c in `folder`, with the flags given; returns the path of the result. */
export function compileFixture(name: string, folder: string, flags: readonly string[] = []): string {
  const source = fileURLToPath(new URL(`../../../test/fixtures/${name}.c`, import.meta.url));
  const compiled = join(folder, name);
  execFileSync('cc', ['-O1', '-Wall', '-Werror', ...flags, '-o', compiled, source]);
  return compiled;
}

/** The environment in which a process believes that it runs on an older kernel. */
export function oldKernel(folder: string): NodeJS.ProcessEnv {
  return { ...process.env, LD_PRELOAD: compileFixture('old_kernel', folder, ['-shared', '-fPIC']) };
}
