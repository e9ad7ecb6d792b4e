// Loaded with --import before an area: forks PRELOAD_FORKS times, each child from the last. The last child goes on to
// run the area; each parent waits for its child and ends as that one did, so that whoever started it sees the end of
// the area, be it a status or a signal.
import { isMainThread } from 'node:worker_threads';
import { _exit, fork, kill, waitpid } from 'posix-daemon';

if (isMainThread) {
  const forks = Number(process.env.PRELOAD_FORKS);
  delete process.env.PRELOAD_FORKS;
  // What the area starts inherits execArgv, and must not load this too.
  const own = process.execArgv.findIndex((arg) => /^--import=.*\/runtimes\/preload\.js$/.test(arg));
  if (own >= 0) process.execArgv.splice(own, 1);
  for (let depth = 0; depth < forks; depth++) {
    const pid = fork();
    if (pid > 0) endAs(pid);
  }
}

function endAs(pid: number): never {
  const status = waitpid(pid);
  if (status?.signal) {
    kill(process.pid, status.signal);
    for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // it is on its way
  }
  _exit(status?.exitCode ?? 255);
}
