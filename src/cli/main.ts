// The command posix-daemon: takes the command line apart, runs the command, and tells what went wrong.

import { asksForJson, parseCommandLine } from './arguments/parse.js';
import { isUsage } from './errors.js';

const FAILED = 1;
const MISUSED = 2;
// Of status the others are taken, as the Linux Standard Base has it.
const STATUS_UNKNOWN = 4;

export async function main(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = await dispatch(args);
  } catch (error) {
    const ofStatus = args[0] === 'status' || args[0] === 'state';
    process.exitCode = ofStatus ? STATUS_UNKNOWN : isUsage(error) ? MISUSED : FAILED;
    const { printError } = await import('./output/print-error.js');
    printError(error as Error, { json: asksForJson(args), command: args[0] });
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === '--version' || word === '-V' || word === 'version') {
    const { version } = await import('./commands/version.js');
    return version(rest);
  }
  const invocation = parseCommandLine(args);
  if (invocation.flags.has('help')) {
    const { help } = await import('./commands/help.js');
    return help({ ...invocation, operands: [invocation.command.name] });
  }
  return invocation.command.run(invocation);
}
