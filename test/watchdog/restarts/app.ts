// A daemon with a watchdog, whose worker says its pid and lives until it is killed: node app.js FOLDER
//
// After each end the watchdog collects its garbage: what is left then is what it keeps.
import { appendFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { daemonize, watchdog } from 'posix-daemon';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const folder = process.argv[2] as string;
daemonize({ pidFile: `${folder}/pid`, stdout: `${folder}/log`, stderr: `${folder}/log` });
await watchdog({ backoff: { initialMs: 0, maxMs: 0 }, maxRestarts: { count: Infinity }, onExit: collect });
appendFileSync(`${folder}/workers`, `${process.pid}\n`);
setInterval(() => {}, 1_000_000);
