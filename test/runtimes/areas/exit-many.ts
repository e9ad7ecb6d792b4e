// Children end in every way there is, and their parent reads the right status from each.
import assert from 'node:assert/strict';
import { _exit, fork } from 'posix-daemon';
import { ended } from '../support.js';

const WAYS: [string, () => void, { exitCode: number | null; signal: string | null }][] = [
  ['process.exit', () => process.exit(200), { exitCode: 200, signal: null }],
  ['process.exit from a timer', () => setTimeout(() => process.exit(5), 1), { exitCode: 5, signal: null }],
  ['process.reallyExit by _exit', () => _exit(255), { exitCode: 255, signal: null }],
  [
    'exitCode and nothing left to do',
    () => {
      process.exitCode = 9;
    },
    { exitCode: 9, signal: null },
  ],
  [
    'an exit handler that changes the code',
    () =>
      process.on('exit', () => {
        process.exitCode = 77;
      }),
    { exitCode: 77, signal: null },
  ],
  [
    'an exception',
    () =>
      setImmediate(() => {
        throw quiet();
      }),
    { exitCode: 1, signal: null },
  ],
  ['a rejection', () => void Promise.reject(quiet()), { exitCode: 1, signal: null }],
  [
    'an exception in its own handler',
    () => {
      process.on('uncaughtException', () => {
        throw quiet();
      });
      setImmediate(() => {
        throw quiet();
      });
    },
    { exitCode: 7, signal: null },
  ],
  ['SIGKILL', () => process.kill(process.pid, 'SIGKILL'), { exitCode: null, signal: 'SIGKILL' }],
];

// Not an Error: Node prints it without a stack.
function quiet(): unknown {
  return 'on purpose';
}

for (const [name, end, expected] of WAYS) {
  const pid = fork();
  if (pid === 0) {
    end();
    break; // the child has nothing else to do
  }
  const { exitCode, signal } = await ended(pid);
  assert.deepEqual({ exitCode, signal }, expected, name);
}
