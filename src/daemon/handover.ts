// How a script that runs again knows that it is to become the daemon: by a descriptor of an unlinked file in memory with a
// name of its own. An environment variable would stay in /proc/PID/environ, an argument in the arguments.
import { closeSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { native } from '../native.js';
import { setCloexec } from '../posix/descriptor.js';
import { forkExec } from '../posix/exec.js';
import { daemonEnvironment } from './environment.js';
import { coded } from './errors.js';
import { activationFds, type DaemonPlan, namedDescriptors } from './plan.js';
import type { DaemonEnd } from './report.js';

const NAME = 'posix-daemon-handover';
const LINK = `/memfd:${NAME} (deleted)`;

function findMark(): number | undefined {
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`) === LINK) return Number(name);
    } catch {
      // The descriptor by which the folder itself was read.
    }
  }
  return undefined;
}

/** In a script that was run again to become the daemon: the way to the starter. It is given once. */
export function takeHandover(): DaemonEnd | undefined {
  const fd = findMark();
  if (fd === undefined) return undefined;
  const end = JSON.parse(readFileSync(`/proc/self/fd/${fd}`, 'utf8')) as DaemonEnd;
  closeSync(fd);
  setCloexec(end.reportFd);
  setCloexec(end.lifelineFd);
  return end;
}

/** The arguments after Node's own path that run this script again. */
function argumentsAgain(): string[] {
  const [, script, ...rest] = process.argv;
  const evaluated = process.execArgv.some((argument) => /^(-e|-p|-pe|--eval|--print)(=|$)/.test(argument));
  if (script === undefined && !evaluated) {
    throw coded('ENOTSUP', 'ENOTSUP: a script from standard input cannot be run again, as mode "exec" needs it');
  }
  return [...process.execArgv, ...process.argv.slice(1, 2), ...rest];
}

/** The lowest numbers from 3 on that aren't taken. */
function* freeNumbers(taken: readonly number[]): Generator<number, never> {
  for (let fd = 3; ; fd++) if (!taken.includes(fd)) yield fd;
}

/** With the starter's own standard input and output where the daemon inherits these: its 0 and 1 are others until the call. */
export function withInherited(plan: DaemonPlan, { stdinFd, stdoutFd }: DaemonEnd): DaemonPlan {
  const [stdout, stderr] = plan.outputs;
  return {
    ...plan,
    stdin: stdinFd === undefined ? plan.stdin : { kind: 'descriptor', fd: stdinFd },
    outputs: [stdoutFd === undefined ? stdout : { kind: 'descriptor', fd: stdoutFd }, stderr],
  };
}

/**
 * Runs the script again, in a session of its own that it doesn't lead. What it says on its way to the call goes to the
 * starter's standard error, and its standard output nowhere: the starter has said that already.
 *
 * @returns its pid
 */
export function runAgain(plan: DaemonPlan, end: DaemonEnd): number {
  const keep = [...(plan.keepFds ?? activationFds(process.env, process.pid)), ...namedDescriptors(plan)];
  const free = freeNumbers(keep);
  const mark = free.next().value;
  const daemonEnd: DaemonEnd = {
    reportFd: free.next().value,
    lifelineFd: free.next().value,
    starterPid: end.starterPid,
    ...(plan.stdin.kind === 'inherit' && { stdinFd: free.next().value }),
    ...(plan.outputs[0].kind === 'inherit' && { stdoutFd: free.next().value }),
  };
  const { reportFd, lifelineFd, stdinFd, stdoutFd } = daemonEnd;
  const memory = native.memfd(NAME);
  try {
    writeSync(memory, JSON.stringify(daemonEnd));
    return forkExec(process.execPath, {
      argv0: process.argv0,
      argv: argumentsAgain(),
      env: daemonEnvironment(plan),
      setsid: true,
      detach: true,
      stdio: ['null', 'null', 'inherit'],
      fds: {
        ...Object.fromEntries(keep.map((fd) => [fd, fd])),
        [mark]: memory,
        [reportFd]: end.reportFd,
        [lifelineFd]: end.lifelineFd,
        ...(stdinFd !== undefined && { [stdinFd]: 0 }),
        ...(stdoutFd !== undefined && { [stdoutFd]: 1 }),
      },
    });
  } finally {
    closeSync(memory);
  }
}
