// The textbook daemon, step by step as in C (Stevens, "Advanced Programming in the UNIX Environment", 13.3), that serves
// HTTP. It listens before it forks: a port that is taken is still reported on the terminal, and the socket goes along.
//
//     node classic-daemon.js [PORT]
import { once } from 'node:events';
import { closeSync, constants, openSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { _exit, chdir, dup2, fork, setproctitle, setsid, umask } from 'posix-daemon';

const server = createServer((_request, response) => {
  response.end(`${process.pid}\n`);
});
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1');
await once(server, 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);

// Whoever started us goes on.
if (fork() > 0) _exit(0);

// A session of our own, without a controlling terminal.
setsid();

// Not its leader any more: a terminal opened later can't become the controlling one. When the leader ends, the kernel
// may send its group a SIGHUP.
process.on('SIGHUP', () => {});
if (fork() > 0) _exit(0);

// Files get the modes they are made with, and no file system is kept from being unmounted.
umask(0);
chdir('/');

// Nothing is read from or written to the terminal any more.
const devNull = openSync('/dev/null', constants.O_RDWR);
for (const standard of [0, 1, 2]) dup2(devNull, standard);
closeSync(devNull);

setproctitle('classic-daemon: serving');
