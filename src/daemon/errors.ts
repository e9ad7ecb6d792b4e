// The errors of this room that no system call names.

/** Another process holds the pid file's lock. */
export interface AlreadyRunningError extends Error {
  code: 'ERR_ALREADY_RUNNING';
  path: string;
  /** What the file says; undefined if nothing yet. */
  pid?: number;
  /** When that process was started. */
  startedAt?: Date;
}

export function coded(code: string, message: string, more: object = {}): Error {
  return Object.assign(new Error(message), { code }, more);
}

export function alreadyRunning(path: string, pid: number | null, startedAt: Date | undefined): AlreadyRunningError {
  const who = pid === null ? 'another process is starting' : `pid ${pid}`;
  const since = startedAt ? `, since ${startedAt.toISOString()}` : '';
  const more = { path, ...(pid === null ? {} : { pid }), ...(startedAt ? { startedAt } : {}) };
  return coded('ERR_ALREADY_RUNNING', `already running: ${who}${since} (${path})`, more) as AlreadyRunningError;
}

/** A pid file that somebody else could have made or put where it is. */
export function unsafePidFile(path: string, why: string): Error {
  return coded('ERR_PID_FILE_UNSAFE', `${path}: ${why}`, { path });
}

/** The text for a person: a system error's message, with the call, path and step if they aren't in it; anything else as it is. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { syscall, path, step, message } = error as NodeJS.ErrnoException & { step?: string };
  let reason = message;
  if (syscall && !message.includes(syscall)) reason += `, ${syscall}`;
  if (path && !message.includes(path)) reason += ` '${path}'`;
  return step ? `${reason} (${step})` : reason;
}
