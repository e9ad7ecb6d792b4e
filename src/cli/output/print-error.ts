// How a failure looks: for people, or as JSON.
import { findCommand } from '../arguments/commands.js';
import { isUsage } from '../errors.js';
import { painter, print } from './terminal.js';

type Shown = NodeJS.ErrnoException & { lines?: readonly string[]; log?: string };

/** An error's own fields, with its message. */
export function errorAsJson(error: Error): object {
  const { code, message, name, ...more } = { ...(error as Shown), name: error.name, message: error.message };
  return { code: code ?? name, message, ...more };
}

export function printError(error: Error, { json, command }: { json: boolean; command: string | undefined }): void {
  if (json) {
    print(`${JSON.stringify({ error: errorAsJson(error) })}\n`);
    return;
  }
  const { code, message, stack, lines = [], log } = error as Shown;
  const paint = painter(process.stderr);
  // Without a code it is a fault of this command's own.
  const text = code === undefined ? (stack ?? message) : message;
  const shown = [`${paint('red', 'posix-daemon:')} ${text}`];
  if (lines.length > 0) shown.push(`last lines of ${log}:`, ...lines.map((line) => `  ${line}`));
  if (isUsage(error) && code !== undefined) {
    const topic = command !== undefined && findCommand(command) ? ` ${command}` : '';
    shown.push(`See posix-daemon help${topic}`);
  }
  process.stderr.write(`${shown.join('\n')}\n`);
}
