// How the fuzz test calls each export of the toolkit that only looks at or changes the process itself.
import { closeSync, openSync, readdirSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import fc from 'fast-check';
import { chdir, setChildSubreaper, setDumpable, setPdeathsig, setSignalMask, setThreadName, umask } from 'posix-daemon';
import { always, type Table } from './entry.js';
import {
  anything,
  badDescriptor,
  badPid,
  deadPid,
  missingPath,
  negative,
  notInteger,
  notText,
  upTo,
  wrongText,
  wrongType,
} from './hostile.js';

const file = openSync(process.argv[1] as string, 'r');
const home = process.cwd();
const signalNames = [...Object.keys(constants.signals), 'SIGRTMIN', 'SIGRTMIN+1', 'SIGRTMAX-30', 'SIGRTMAX'];
const eventLoops = readdirSync('/proc/self/fd')
  .map(Number)
  .filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('anon_inode');
    } catch {
      return false;
    }
  });
const unblockable: unknown[] = ['SIGKILL', 'SIGSTOP', 9, 19, 32, 33];
const resources = ['as', 'core', 'cpu', 'data', 'fsize', 'memlock', 'nofile', 'nproc', 'stack'];

const signal = fc.oneof(fc.constantFrom(...signalNames), fc.integer({ min: 1, max: 64 }));
const badSignal = fc.oneof(
  notInteger,
  fc.constantFrom<unknown>(undefined, 65, -1, 'SIGTERM ', 'sigterm', 'SIGRTMIN+31', 'SIGRTMIN-1'),
);
const flockOperation = fc.oneof(fc.constantFrom('shared', 'exclusive', 'unlock'), notText, wrongText);
const nonBlockingOptions = fc.oneof(anything, fc.record({ nonBlocking: anything }));
const badLimit = fc.oneof(
  notInteger.filter((value) => value !== Infinity && !Number.isSafeInteger(value)),
  negative,
);

const takesNonBlocking = (options: unknown): boolean => {
  if (options === undefined) return true;
  if (typeof options !== 'object' || options === null) return false;
  const { nonBlocking } = options as { nonBlocking?: unknown };
  if (Object.keys(options).some((key) => key !== 'nonBlocking')) return false;
  return nonBlocking === undefined || typeof nonBlocking === 'boolean';
};
const closeAll = (result: unknown): void => {
  for (const fd of [result].flat()) closeSync(fd as number);
};

export const toolkit: Table = {
  dup: {
    arguments: upTo(fc.oneof(badDescriptor, fc.constantFrom(0, 1, 2, file))),
    errnos: ['EBADF'],
    mayReturn: ([fd]) => [0, 1, 2, file].includes(fd as number),
    undo: closeAll,
  },
  dup2: {
    arguments: upTo(
      fc.oneof(badDescriptor, fc.constantFrom(0, file)),
      fc.oneof(badDescriptor, fc.constantFrom(file, ...eventLoops)),
    ),
    errnos: ['EBADF', 'EBUSY'],
    mayReturn: ([, newFd]) => newFd === file,
    excluded: 'a newFd of 0 to 2, where the report goes; a free one, which the next call could meet',
  },
  pipe: {
    arguments: upTo(nonBlockingOptions),
    mayReturn: ([options]) => takesNonBlocking(options),
    undo: closeAll,
  },
  closefrom: {
    arguments: upTo(badDescriptor),
    mayReturn: ([fd]) => Number.isInteger(fd),
    excluded: 'numbers that may be open: it would close standard output and the file used here',
  },
  flock: {
    arguments: upTo(fc.oneof(badDescriptor, fc.constant(file)), flockOperation, nonBlockingOptions),
    errnos: ['EBADF'],
    mayReturn: ([fd, operation, options]) =>
      fd === file && ['shared', 'exclusive', 'unlock'].includes(operation as string) && takesNonBlocking(options),
  },
  setCloexec: {
    arguments: upTo(fc.oneof(badDescriptor, fc.constant(file)), anything),
    errnos: ['EBADF'],
    mayReturn: ([fd, on]) => fd === file && (on === undefined || typeof on === 'boolean'),
  },

  kill: {
    arguments: fc.oneof(
      upTo(
        fc.oneof(
          notInteger,
          deadPid,
          deadPid.map((pid) => -pid),
        ),
        fc.oneof(signal, badSignal, fc.constant(0)),
      ),
      fc.tuple(fc.integer(), badSignal),
      fc.tuple(fc.constantFrom(process.pid, 0, -1), fc.constant(0)),
    ),
    errnos: ['ESRCH'],
    mayReturn: ([, sig]) => sig === 0,
    excluded: 'a signal other than 0 to a pid that may live, and to the groups 0 and -1: it would end this test',
  },
  getSignalMask: { arguments: upTo(anything), mayReturn: always },
  setSignalMask: {
    arguments: upTo(
      fc.oneof(anything, fc.array(fc.oneof(signal, badSignal), { maxLength: 8 }), fc.array(signal, { maxLength: 8 })),
    ),
    mayReturn: ([signals]) => Array.isArray(signals) && !signals.some((given) => unblockable.includes(given)),
    undo: () => setSignalMask([]),
  },
  resetSignals: { arguments: upTo(anything), mayReturn: always },

  getrlimit: {
    arguments: upTo(fc.oneof(notText, wrongText, fc.constantFrom(...resources))),
    mayReturn: ([resource]) => resources.includes(resource as string),
  },
  setrlimit: {
    arguments: fc.oneof(
      upTo(fc.oneof(notText, wrongText), anything),
      fc.tuple(fc.constantFrom(...resources), fc.oneof(badLimit, fc.record({ soft: badLimit, hard: anything }))),
      fc.tuple(fc.constantFrom(...resources), fc.record({ soft: fc.constant(2), hard: fc.constant(1) })),
      fc.tuple(fc.constant('nofile'), fc.constantFrom(Infinity, Number.MAX_SAFE_INTEGER)),
    ),
    errnos: ['EINVAL', 'EPERM'],
    excluded: 'limits that the kernel would set: without address space, descriptors or processor time the test ends',
  },

  setPdeathsig: {
    arguments: upTo(fc.oneof(signal, badSignal, fc.constant(0))),
    mayReturn: ([sig]) => sig === 0 || (typeof sig === 'number' && sig <= 64) || signalNames.includes(sig as string),
    undo: () => setPdeathsig(0),
  },
  getPdeathsig: { arguments: upTo(anything), mayReturn: always },
  setChildSubreaper: {
    arguments: upTo(anything),
    mayReturn: ([on]) => on === undefined || typeof on === 'boolean',
    undo: () => setChildSubreaper(false),
  },
  getChildSubreaper: { arguments: upTo(anything), mayReturn: always },
  setNoNewPrivs: { arguments: upTo(anything), mayReturn: always },
  getNoNewPrivs: { arguments: upTo(anything), mayReturn: always },
  setDumpable: {
    arguments: upTo(anything),
    mayReturn: ([on]) => typeof on === 'boolean',
    undo: () => setDumpable(true),
  },
  getDumpable: { arguments: upTo(anything), mayReturn: always },
  setThreadName: {
    arguments: upTo(fc.oneof(notText, wrongText)),
    mayReturn: ([name]) => typeof name === 'string',
    undo: () => setThreadName('node'),
  },
  getThreadName: { arguments: upTo(anything), mayReturn: always },

  setsid: { arguments: upTo(anything), errnos: ['EPERM'], mayReturn: always },
  getsid: {
    arguments: upTo(fc.oneof(badPid, fc.constantFrom(0, process.pid, undefined))),
    errnos: ['ESRCH'],
    mayReturn: ([pid]) => pid === undefined || pid === 0 || pid === process.pid,
  },
  getpgid: {
    arguments: upTo(fc.oneof(badPid, fc.constantFrom(0, process.pid, undefined))),
    errnos: ['ESRCH'],
    mayReturn: ([pid]) => pid === undefined || pid === 0 || pid === process.pid,
  },
  setpgid: {
    arguments: upTo(fc.oneof(badPid, fc.constantFrom(0, process.pid, undefined)), fc.oneof(badPid, fc.constant(0))),
    errnos: ['ESRCH', 'EPERM'],
    mayReturn: ([pid]) => pid === undefined || pid === 0 || pid === process.pid,
  },
  umask: {
    arguments: upTo(fc.oneof(anything, fc.integer({ min: 0, max: 0o777 }))),
    mayReturn: ([mask]) => Number.isInteger(mask),
    undo: (before) => umask(before as number),
  },
  chdir: {
    arguments: upTo(fc.oneof(notText, wrongText, missingPath, fc.constant(process.execPath))),
    errnos: ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'],
    mayReturn: ([path]) => typeof path === 'string',
    undo: () => chdir(home),
  },
  chroot: {
    arguments: upTo(fc.oneof(wrongType, notText, missingPath, fc.constantFrom('', '\0', process.execPath))),
    errnos: ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'],
    excluded: 'a path that exists: there is no way back out of a root',
  },
};
