// node watched-command.js FOLDER WORKERS: as watched.ts, for programs that know nothing of it. Each holds the lock of its file as long
// as it lives.
import { Watchdog } from 'posix-daemon';

const [folder, workers] = process.argv.slice(2) as [string, string];
const program = `exec 9>>"${folder}/$WORKER_INDEX"
if flock -n 9; then echo started; else echo "worker $WORKER_INDEX: its lock is held"; fi
setsid sleep 1000 9>&- &
(setsid sleep 1000 9>&- &)
(trap '' TERM; exec 9>&-; while :; do sleep 0.05; done) &
exec -a "storm: worker $WORKER_INDEX" bash -c 'while :; do sleep 1000 9>&- & wait; done'`;

new Watchdog({
  command: ['bash', '-c', program],
  workers: Number(workers),
  backoff: { initialMs: 0, maxMs: 0 },
  maxRestarts: { count: 100_000, windowMs: 1 },
});
