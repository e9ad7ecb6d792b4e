// node daemonize.js MODE: says when it calls daemonize(), and ends as soon as it is the daemon.
import { writeSync } from 'node:fs';
import { daemonize } from 'posix-daemon';

writeSync(1, `${process.hrtime.bigint()}\n`);
daemonize({ mode: process.argv[2] as 'fork' | 'exec' });
process.exit(0);
