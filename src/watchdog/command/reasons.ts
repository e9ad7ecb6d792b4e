// Why a command is given up, in words that say what to do about it.
import { constants } from 'node:os';
import { systemError } from '../../posix/system-error.js';
import type { Ended } from '../options.js';
import type { CommandPlan } from './plan.js';

function limit({ supervision: { maxRestarts } }: CommandPlan): string {
  const { count, windowMs } = maxRestarts;
  return `after ${count} restart${count === 1 ? '' : 's'} within ${windowMs} ms`;
}

export function endReason(plan: CommandPlan, { exitCode, signal }: Ended, left: number): string {
  const how = signal === null ? `exit code ${exitCode}` : `killed by ${signal}`;
  const processes = left === 1 ? 'a process, which was' : `${left} processes, which were`;
  const hint =
    left > 0
      ? `; it left ${processes} killed: a program that makes itself a daemon has to be told to stay in the foreground`
      : '';
  return `${how}, ${limit(plan)}${hint}`;
}

export function startReason(plan: CommandPlan, error: NodeJS.ErrnoException): string {
  const isLine = error.code === 'ENOENT' && error.path === plan.command && /\s/.test(plan.command);
  const hint = isLine ? '; arguments belong into `args`: the command is the name of a file' : '';
  return `${error.message}, ${limit(plan)}${hint}`;
}

/** An error with the program's name as it was given, where that was searched in PATH. */
export function unnamed(plan: CommandPlan, error: NodeJS.ErrnoException): NodeJS.ErrnoException {
  if (plan.command.includes('/') || error.path !== plan.file) return error;
  return systemError(constants.errno[error.code as keyof typeof constants.errno], error.syscall ?? '', plan.command);
}
