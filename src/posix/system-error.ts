import { getSystemErrorMap } from 'node:util';

/** The error of a system call that failed in another process, shaped as Node's own. */
export function systemError(number: number, syscall: string, path?: string): NodeJS.ErrnoException {
  const errno = -number;
  const [code, text] = getSystemErrorMap().get(errno) ?? [`E${number}`, 'unknown error'];
  const message = `${code}: ${text}, ${syscall}${path ? ` '${path}'` : ''}`;
  return Object.assign(new Error(message), { code, errno, syscall, ...(path ? { path } : {}) });
}
