// The signals of a process that has Watchdogs, and its end when all of them are over.
import { constants } from 'node:os';
import { signalNumber } from '../../posix/signal-number.js';
import { endAs } from '../end-as.js';
import type { WatchdogEnd } from './watchdog-events.js';

/** A Watchdog that takes this process's signals. */
export interface Member {
  end(how: 'stop' | 'kill'): void;
  passOn(signal: number): void;
  /** Stops and continues the workers. */
  pause(): void;
  goOn(): void;
}

const ENDING = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;
const PASSED_ON = ['SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

const members = new Set<Member>();
let listeners: [NodeJS.Signals, () => void][] = [];

export function join(member: Member): void {
  if (members.size === 0) listen();
  members.add(member);
}

/** @param end how the process is to end if this was the last one; undefined: the application goes on */
export function leave(member: Member, end?: WatchdogEnd): void {
  if (!members.delete(member) || members.size > 0) return;
  for (const [signal, listener] of listeners) process.off(signal, listener);
  if (end) endProcess(end);
}

function listen(): void {
  let asked = false;
  const onEnding = () => {
    for (const member of members) member.end(asked ? 'kill' : 'stop');
    asked = true;
  };
  const onOther = (signal: number) => {
    for (const member of members) member.passOn(signal);
  };
  const onPause = () => {
    for (const member of members) member.pause();
    process.kill(process.pid, 'SIGSTOP');
  };
  const onContinue = () => {
    for (const member of members) member.goOn();
  };
  listeners = [
    ...ENDING.map((signal): [NodeJS.Signals, () => void] => [signal, onEnding]),
    ...PASSED_ON.map((signal): [NodeJS.Signals, () => void] => [signal, () => onOther(constants.signals[signal])]),
    ['SIGTSTP', onPause],
    ['SIGCONT', onContinue],
  ];
  for (const [signal, listener] of listeners) process.on(signal, listener);
}

/** As process.exit() does it: listeners of 'exit' come first. */
function endProcess(end: WatchdogEnd): never {
  if (end.signal === null) process.exit(end.exitCode);
  process.once('exit', () => endAs(end));
  process.exit(128 + signalNumber('signal', end.signal));
}
