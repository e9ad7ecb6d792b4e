// The signals of a process that has Watchdogs, and its end when all of them are over.
import { constants } from 'node:os';
import { native } from '../../native.js';
import { signalNumber } from '../../posix/signal-number.js';
import { endAs } from '../end-as.js';
import { Terminal } from '../terminal.js';
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
const PASSED_ON = ['SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

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
  const terminal = new Terminal();
  let asked = false;
  const onEnding = () => {
    for (const member of members) member.end(asked ? 'kill' : 'stop');
    asked = true;
  };
  const onOther = (signal: number) => {
    for (const member of members) member.passOn(signal);
  };
  // Workers that die of it must not be replaced. It may come twice.
  const onHangUp = () => {
    if (!terminal.hasHungUp(false)) onOther(constants.signals.SIGHUP);
    else for (const member of members) member.end('stop');
  };
  const onPause = () => {
    for (const member of members) member.pause();
    native.stopAsTerminalDoes();
    // It needn't have been stopped, and nobody would continue it then.
    onContinue();
  };
  const onContinue = () => {
    for (const member of members) member.goOn();
  };
  listeners = [
    ...ENDING.map((signal): [NodeJS.Signals, () => void] => [signal, onEnding]),
    ...PASSED_ON.map((signal): [NodeJS.Signals, () => void] => [signal, () => onOther(constants.signals[signal])]),
    ['SIGHUP', onHangUp],
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
