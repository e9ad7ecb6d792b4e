import { closeSync, constants, openSync } from 'node:fs';

const { O_NOCTTY, O_NONBLOCK, O_RDONLY } = constants;

/** An errno's name, unless this process has a controlling terminal. */
function openTerminal(): string | undefined {
  try {
    closeSync(openSync('/dev/tty', O_RDONLY | O_NOCTTY | O_NONBLOCK));
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** The terminal that this process was started on, if it was. */
export class Terminal {
  readonly #wasThere = openTerminal() === undefined;

  /**
   * Whether a SIGHUP says that the terminal has closed. A shell sends its jobs one then, and so does the kernel; anybody else
   * wants what SIGHUP means to daemons.
   */
  hasHungUp(fromTerminal: boolean): boolean {
    if (!this.#wasThere) return false;
    const error = fromTerminal ? 'ENXIO' : openTerminal();
    return error === 'ENXIO' || error === 'EIO';
  }
}
