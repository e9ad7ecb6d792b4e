// What a worker may start that is hard to get rid of. Each member writes a line with its pid to standard output.
import { spawn } from 'node:child_process';

const SAYS = 'echo "member $$"';
const KINDS = [
  `${SAYS}; exec sleep 1000`,
  `exec setsid sh -c '${SAYS}; exec sleep 1000'`,
  `(setsid sh -c '${SAYS}; exec sleep 1000' &)`,
  `trap "" HUP INT QUIT TERM USR1 USR2 PIPE ALRM CONT TSTP; ${SAYS}; exec sleep 1000`,
  `${SAYS}; kill -STOP $$`,
];
const BUSY = `${SAYS}; while :; do :; done`;

/** Starts so many, one of them in a busy loop, and one by a set-user-ID program if there is one. */
export function startFamily(count: number, setuidSleep?: string): void {
  const special = [BUSY, ...(setuidSleep ? [`${SAYS}; exec ${setuidSleep} 1000`] : [])];
  for (let n = 0; n < count; n++) {
    const script = special[n] ?? (KINDS[n % KINDS.length] as string);
    spawn('sh', ['-c', script], { stdio: ['ignore', 'inherit', 'ignore'] });
  }
  setInterval(() => {}, 1_000_000);
}
