// How the fuzz test calls each export that makes or finds daemons.
import fc from 'fast-check';
import type { Table } from './entry.js';
import { anything, missingPath, notText, upTo, wrongNumber, wrongText, wrongType } from './hostile.js';

const path = fc.oneof(anything, missingPath);
const output = fc.oneof(
  anything,
  fc.constantFrom('null', 'inherit'),
  missingPath,
  fc.record(
    { path, maxBytes: anything, backups: anything, timestamps: anything, maxByte: anything },
    { requiredKeys: [] },
  ),
);

// Each option as it should not be, and now and then as it may be.
const options = fc.record(
  {
    name: fc.oneof(anything, fc.constant('name')),
    cwd: path,
    umask: fc.oneof(anything, fc.constant(0o22)),
    chroot: path,
    user: fc.oneof(anything, fc.constant(65534)),
    group: fc.oneof(anything, fc.constant(65534)),
    groups: fc.oneof(anything, fc.array(anything, { maxLength: 3 })),
    title: anything,
    pidFile: path,
    pidFileMode: anything,
    stdin: fc.oneof(anything, missingPath),
    stdout: output,
    stderr: output,
    logFileMode: anything,
    env: fc.oneof(anything, fc.dictionary(fc.string(), fc.oneof(wrongText, notText), { maxKeys: 3 })),
    keepFds: fc.oneof(anything, fc.array(anything, { maxLength: 3 })),
    rlimits: fc.oneof(anything, fc.dictionary(fc.constantFrom('core', 'constructor', 'nofile'), anything)),
    nice: anything,
    oomScoreAdj: anything,
    ready: fc.oneof(anything, fc.constantFrom('immediate', 'manual')),
    readyTimeoutMs: anything,
  },
  { requiredKeys: [] },
);
const wrongMode = fc.oneof(wrongType, wrongNumber, fc.constantFrom('', 'Fork', 'constructor', 3));

export const daemons: Table = {
  daemonize: {
    arguments: fc.oneof(
      fc.tuple(fc.oneof(wrongType, notText, wrongText).filter((value) => typeof value !== 'object' || value === null)),
      fc.tuple(fc.tuple(options, wrongMode).map(([some, mode]) => ({ ...some, mode }))),
    ),
    excluded: 'options without one that is wrong: this test would become a daemon',
  },
  findDaemon: {
    arguments: upTo(
      fc.oneof(
        notText,
        wrongText.filter((text) => text.includes('\0') || text === ''),
        missingPath,
      ),
    ),
    errnos: ['ENAMETOOLONG', 'ENOTDIR'],
    // There is no such file.
    mayReturn: ([file]) => typeof file === 'string',
  },
  Watchdog: { uncalled: 'a class; test/watchdog/command-options.test.ts has bad options of all kinds' },
  PidFile: { uncalled: 'a class whose constructor is private; acquire() and read() have tests of their own' },
};
