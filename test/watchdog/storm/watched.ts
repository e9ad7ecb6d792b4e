// node watched.js FOLDER WORKERS: what the storm goes over. Each worker locks a file of its number, which must be free, and
// starts others that are hard to get rid of.
import { spawn } from 'node:child_process';
import { openSync, writeSync } from 'node:fs';
import { flock, watchdog } from 'posix-daemon';

const [folder, workers] = process.argv.slice(2) as [string, string];
const worker = await watchdog({
  title: 'storm',
  workers: Number(workers),
  backoff: { initialMs: 0, maxMs: 0 },
  maxRestarts: { count: Infinity },
  heartbeat: { timeoutMs: 500 },
  readyTimeoutMs: 2000,
});
try {
  flock(openSync(`${folder}/${worker.index}`, 'w'), 'exclusive', { nonBlocking: true });
  writeSync(1, 'started\n');
} catch (error) {
  writeSync(1, `worker ${worker.index}: ${error}\n`);
}
for (const script of ['setsid sleep 1000', '(setsid sleep 1000 &)', "trap '' TERM; while :; do sleep 0.05; done"]) {
  spawn('sh', ['-c', script], { stdio: 'ignore' });
}
setInterval(() => {}, 1e6);
