// Bundles the command posix-daemon into one file, dist/posix-daemon.cjs: Node takes longer to find and load its 40 modules
// than the command to start a daemon. They are run only when they are needed there, too.
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { root } from './stage.mjs';

const outfile = join(root, 'dist', 'posix-daemon.cjs');

await build({
  entryPoints: [join(root, 'src', 'cli', 'bin.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  // CommonJS: an ES module costs another 5 ms.
  format: 'cjs',
  target: 'node20.11',
  // Names stay, for stack traces.
  minifyWhitespace: true,
  lineLimit: 120,
  // Folders count from dist/, where the modules of src/ are, too.
  define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
  banner: { js: '// With node-gyp-build in it: MIT License, Copyright (c) 2017 Mathias Buus' },
  logLevel: 'warning',
});
chmodSync(outfile, 0o755);
