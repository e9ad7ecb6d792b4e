// node supervised.js plain | watchdog | cluster | pdeathsig [MEMBERS [MIB]]: an app as it might be supervised, with so much state
// (100 MiB; with 0 it loads nothing), by itself or under a parent of that kind. Tells the FIFO $REPORT when it begins, when it is
// loaded, and what it has started.
import { spawn } from 'node:child_process';
import cluster from 'node:cluster';
import { appendFileSync } from 'node:fs';
import { now } from './clock.js';

const [, script = '', mode, members = '0', stateMiB = '100'] = process.argv;

function report(what: 'started' | 'loaded'): void {
  const at = now();
  appendFileSync(process.env.REPORT as string, `${what} ${process.pid} ${at}\n`);
}

async function load(): Promise<void> {
  if (stateMiB === '0') return;
  const { fastify } = await import('fastify');
  const app = fastify();
  for (let n = 0; n < 20; n++) {
    app.register(async (scope) => {
      scope.addHook('onRequest', async () => {});
      scope.get(`/${n}`, { schema: { response: { 200: { type: 'object' } } } }, async () => ({ n }));
    });
  }
  await app.ready();
  const { growAndCollect } = await import('./app.js');
  growAndCollect(process.memoryUsage.rss() / 2 ** 20 + Number(stateMiB));
}

/** Starts what is hard to get rid of: in sessions of their own, with a parent that has gone, deaf to signals. */
function startMembers(): void {
  const says = 'echo "member $$ 0" >> "$REPORT"';
  const kinds = [
    `${says}; exec sleep 1000`,
    `exec setsid sh -c '${says}; exec sleep 1000'`,
    `(setsid sh -c '${says}; exec sleep 1000' &)`,
    `trap "" HUP INT QUIT TERM; ${says}; exec sleep 1000`,
    `${says}; kill -STOP $$`,
  ];
  const once = [`${says}; while :; do :; done`, `${says}; exec ${process.env.SETUID_SLEEP ?? 'sleep'} 1000`];
  for (let n = 0; n < Number(members); n++) {
    spawn('sh', ['-c', once[n] ?? (kinds[n % kinds.length] as string)], { stdio: 'ignore' });
  }
}

if (mode === 'cluster' && cluster.isPrimary) {
  cluster.on('exit', () => cluster.fork()).fork();
} else if (mode === 'pdeathsig') {
  const { forkExec } = await import('posix-daemon');
  forkExec(process.execPath, { argv: [script, 'plain', members, stateMiB], pdeathsig: 'SIGKILL' });
  setInterval(() => {}, 1_000_000);
} else {
  if (mode !== 'watchdog') report('started');
  await load();
  if (mode === 'watchdog') {
    const { watchdog } = await import('posix-daemon');
    await watchdog({ backoff: { initialMs: 0, maxMs: 0 }, maxRestarts: { count: Infinity } });
    report('started');
  }
  report('loaded');
  startMembers();
  setInterval(() => {}, 1_000_000);
}
