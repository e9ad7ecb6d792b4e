// How the fuzz test calls each export that makes, ends, finds, waits for or names processes.
import fc from 'fast-check';
import { always, type Table } from './entry.js';
import { anything, badPid, missingPath, notInteger, notText, upTo, wrongText } from './hostile.js';

const argv = fc.oneof(anything, fc.array(fc.oneof(wrongText, notText), { maxLength: 3 }));
const env = fc.oneof(anything, fc.dictionary(fc.string(), fc.oneof(wrongText, notText), { maxKeys: 3 }));

// Each option of forkExec as it should not be, and now and then as it may be. The program never exists, so that not
// even the right ones start anything.
const forkExecOptions = fc.record(
  {
    argv,
    argv0: fc.oneof(anything, fc.constant('name')),
    env,
    cwd: fc.oneof(anything, missingPath, fc.constant('/')),
    chroot: fc.oneof(anything, missingPath),
    uid: fc.oneof(anything, fc.constant(65534)),
    gid: fc.oneof(anything, fc.constant(65534)),
    groups: fc.oneof(anything, fc.array(anything, { maxLength: 3 })),
    umask: fc.oneof(anything, fc.constant(0o22)),
    stdio: fc.oneof(anything, fc.array(fc.oneof(anything, fc.constantFrom('null', 'inherit')), { maxLength: 4 })),
    fds: fc.oneof(anything, fc.dictionary(fc.string(), anything, { maxKeys: 2 })),
    setsid: fc.oneof(anything, fc.boolean()),
    detach: fc.oneof(anything, fc.boolean()),
    setpgid: fc.oneof(anything, fc.boolean()),
    ctty: anything,
    pdeathsig: fc.oneof(anything, fc.constant('SIGKILL')),
    rlimits: fc.oneof(anything, fc.dictionary(fc.constantFrom('core', 'constructor', 'nofile'), anything)),
    nice: anything,
    oomScoreAdj: anything,
    resetSignals: fc.oneof(anything, fc.boolean()),
    signalMask: fc.oneof(anything, fc.array(anything, { maxLength: 3 })),
    title: anything,
  },
  { requiredKeys: [] },
);

// What any step of forkExec may answer. EFAULT, EINTR and their like are not among them.
const stepErrnos = [
  'E2BIG',
  'EACCES',
  'EBADF',
  'EINVAL',
  'ENAMETOOLONG',
  'ENODEV',
  'ENOENT',
  'ENOTDIR',
  'ENOTTY',
  'ENXIO',
  'EPERM',
  'ESRCH',
];

const waitOptions = fc.oneof(anything, fc.record({ noHang: anything, untraced: anything }, { requiredKeys: [] }));

export const processes: Table = {
  fork: { uncalled: 'it takes no argument, so that every call is a right one and makes a process' },
  forkSupport: { arguments: upTo(anything), mayReturn: always },
  atfork: {
    // A wrong hook on its own, lest the right one beside it be installed.
    arguments: fc.oneof(
      upTo(
        fc.oneof(
          notInteger.filter((value) => typeof value !== 'object' || value === null),
          fc.integer(),
        ),
      ),
      fc.tuple(
        fc.record({
          prepare: fc.oneof(
            notInteger.filter((value) => typeof value !== 'function'),
            fc.integer(),
          ),
        }),
      ),
    ),
    excluded: 'objects without a wrong hook: what they install runs in a fork that this test never makes',
  },
  _exit: {
    arguments: fc.tuple(fc.oneof(notInteger, fc.constantFrom(-1, 256))),
    excluded: 'a status, and none at all: the test would be over',
  },
  execve: {
    arguments: fc.oneof(
      fc.tuple(fc.oneof(notText, fc.constantFrom('', '\0')), argv, env),
      upTo(missingPath, argv, env),
    ),
    errnos: ['ENOENT', 'ENAMETOOLONG', 'E2BIG', 'EACCES'],
    excluded: 'a program that exists: it would take the place of this test',
  },
  forkExec: {
    arguments: fc.oneof(
      upTo(fc.oneof(notText, fc.constantFrom('', '\0')), fc.oneof(anything, forkExecOptions)),
      fc.tuple(missingPath, fc.oneof(anything, forkExecOptions)),
    ),
    errnos: stepErrnos,
    excluded: 'a program that exists: none of these calls is to start anything',
  },
  waitpid: {
    arguments: upTo(fc.oneof(badPid, fc.constantFrom(0, -1, process.pid)), waitOptions),
    errnos: ['ECHILD', 'ESRCH', 'EINVAL'],
  },
  lookPath: {
    arguments: upTo(fc.oneof(notText, wrongText, missingPath)),
    errnos: ['ENOENT', 'EACCES', 'ENOTDIR', 'ENAMETOOLONG'],
    // Among random words is the name of a program now and then: ar, cc.
    mayReturn: ([file]) => typeof file === 'string' && /^[\w.-]+$/.test(file),
  },
  openProcess: {
    arguments: upTo(fc.oneof(badPid, fc.constantFrom(0, process.pid))),
    errnos: ['ESRCH', 'EINVAL'],
    mayReturn: ([pid]) => pid === process.pid,
    undo: (handle) => (handle as { close(): void }).close(),
  },
  setproctitle: {
    arguments: upTo(fc.oneof(notText, wrongText, fc.constant(undefined))),
    mayReturn: ([title]) => typeof title === 'string',
  },
  getproctitle: { arguments: upTo(anything), mayReturn: always },
  watchdog: {
    uncalled: 'it answers by a promise, also when it refuses: test/watchdog/options.test.ts has its bad arguments',
  },
};
