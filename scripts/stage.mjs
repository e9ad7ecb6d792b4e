// Build trees beside the checkout's own build/: each has its own objects, so that a prebuild, a cross build or a
// sanitizer build neither disturbs the others nor leaves an addon behind that a later test would load.
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the scripts keep what can be made again: out of git's, npm's and the linters' sight. */
export const cache = join(root, 'node_modules', '.cache', 'posix-daemon');

/** Where they keep what they downloaded: many checkouts can share it. */
export const downloads = process.env.XDG_CACHE_HOME ? join(process.env.XDG_CACHE_HOME, 'posix-daemon') : cache;

/** A folder from which node-gyp builds the checkout's sources; what an earlier build left in it stays. */
export function stage(name) {
  const folder = join(cache, name);
  mkdirSync(folder, { recursive: true });
  for (const source of ['binding.gyp', 'native', 'package.json']) {
    rmSync(join(folder, source), { force: true });
    symlinkSync(join(root, source), join(folder, source));
  }
  return folder;
}

/**
 * The environment that node-gyp builds in: with the headers that came with the running Node, where there are any, so
 * that nothing is downloaded; with warnings as errors; with the variables of binding.gyp that `defines` sets.
 */
export function buildEnv(extra = {}, defines = []) {
  const prefix = dirname(dirname(process.execPath));
  const headers = existsSync(join(prefix, 'include', 'node', 'node_api.h')) ? { npm_config_nodedir: prefix } : {};
  return { ...headers, JOBS: 'max', ...process.env, ...extra, GYP_DEFINES: ['strict=1', ...defines].join(' ') };
}
