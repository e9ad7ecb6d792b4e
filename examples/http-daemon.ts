// A web service as a daemon, by live fork: the application is loaded once, and goes on from the call with all it has.
//
//     node http-daemon.js FOLDER [PORT]      its pid, its log and its address are in that folder then (by default
//                                        the working directory); `kill $(cat http-daemon.pid)` stops it

import fastify from 'fastify';
import { daemonize } from 'posix-daemon';

const [folder = '.', port = '0'] = process.argv.slice(2);
const app = fastify();
app.get('/', async () => ({ pid: process.pid }));
await app.ready();
const log = `${folder}/http-daemon.log`;
daemonize({ pidFile: `${folder}/http-daemon.pid`, stdout: log, stderr: log, title: 'http-daemon' });
console.log(await app.listen({ port: Number(port) }));
