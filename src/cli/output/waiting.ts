// On a terminal a long wait says what it is for; elsewhere nothing is added to the output.

const PATIENCE_MS = 1000;

/** Waits, and tells on standard error what for if it takes long. */
export async function telling<T>(what: () => string, waiting: Promise<T>): Promise<T> {
  // It need not keep the process alive, and must not: what is waited for does.
  const timer = setTimeout(() => {
    if (process.stderr.isTTY) process.stderr.write(`${what()} …\n`);
  }, PATIENCE_MS).unref();
  try {
    return await waiting;
  } finally {
    clearTimeout(timer);
  }
}
