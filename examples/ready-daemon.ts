// A daemon that listens before it is ready: when the shell has its prompt back, the service can be reached, and a port that
// is taken is an error of the start, not a line in a log.
//
//     node ready-daemon.js FOLDER [PORT]
import { resolve } from 'node:path';
import fastify from 'fastify';
import { daemonize } from 'posix-daemon';

const [folder = '.', port = '0'] = process.argv.slice(2);
const log = resolve(folder, 'ready-daemon.log');
const daemon = daemonize({
  pidFile: `${folder}/ready-daemon.pid`,
  stdout: { path: log, maxBytes: 10 << 20, backups: 5, timestamps: true },
  stderr: log,
  title: 'ready-daemon',
  ready: 'manual',
  readyTimeoutMs: 10_000,
});

try {
  const app = fastify({ forceCloseConnections: true });
  app.get('/', async () => ({ pid: process.pid }));
  console.log(await app.listen({ port: Number(port) }));
  process.once('SIGTERM', async () => {
    await app.close();
    process.exit();
  });
  daemon.ready();
} catch (error) {
  daemon.fail(error);
}
