// node pool.js watchdog | cluster WORKERS PORT: an app of 120 MiB with so many workers that serve the port. Tells the FIFO $REPORT
// when the first worker is about to be made, and when each of them serves.
import cluster from 'node:cluster';
import { appendFileSync } from 'node:fs';
import { growAndCollect, listen } from './app.js';
import { now } from './clock.js';

const [, , mode, workers, port] = process.argv;
const stateMiB = 120;

function report(what: 'started' | 'loaded'): void {
  appendFileSync(process.env.REPORT as string, `${what} ${process.pid} ${now()}\n`);
}

if (mode === 'cluster' && cluster.isPrimary) {
  report('started');
  for (let n = 0; n < Number(workers); n++) cluster.fork();
} else if (mode === 'cluster') {
  growAndCollect(stateMiB);
  await listen(Number(port));
  report('loaded');
} else {
  const { watchdog } = await import('posix-daemon');
  growAndCollect(stateMiB);
  await listen(Number(port));
  report('started');
  await watchdog({ workers: Number(workers) });
  report('loaded');
}
