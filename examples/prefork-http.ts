// A web service with workers that share its memory and its port: the application is loaded once, and listens before it is
// forked. A worker that dies is back in milliseconds.
//
//     node prefork-http.js [WORKERS] [PORT]      prints its address, and then each worker as it begins

import fastify from 'fastify';
import { watchdog } from 'posix-daemon';

const [workers = '4', port = '0'] = process.argv.slice(2);
const app = fastify();
let worker = 0;
app.get('/', async () => ({ worker, pid: process.pid }));
console.log(await app.listen({ port: Number(port) }));

({ index: worker } = await watchdog({
  workers: Number(workers),
  heartbeat: { timeoutMs: 5000 },
  title: 'prefork-http',
}));
console.log(`worker ${worker} has pid ${process.pid}`);
