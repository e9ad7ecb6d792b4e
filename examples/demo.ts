// npm run demo: starts the classic daemon, asks it something, looks at it from outside, and stops it.
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openProcess } from 'posix-daemon';

const say = (text: string) => console.log(`\n\x1b[1m${text}\x1b[0m`);
const indent = (text: string) => console.log(text.trimEnd().replace(/^/gm, '    '));

const program = fileURLToPath(new URL('classic-daemon.js', import.meta.url));

say('$ node examples/classic-daemon.js');
const began = performance.now();
const starter = spawnSync(process.execPath, [program], { encoding: 'utf8' });
if (starter.status !== 0) throw new Error(`the daemon could not be started: ${starter.stderr}`);
const url = starter.stdout.trim();
indent(`${url}\n(the shell has its prompt back after ${Math.round(performance.now() - began)} ms)`);

say(`$ curl ${url}`);
const pid = Number(await (await fetch(url)).text());
indent(`${pid}`);
using daemon = openProcess(pid);

const columns = ['-o', 'pid,ppid,pgid,sid,tty,nlwp,args', '-p', `${pid}`];
const ps = spawnSync('ps', columns, { encoding: 'utf8' });
if (ps.error === undefined) {
  say(`$ ps ${columns.join(' ')}`);
  indent(ps.stdout);
}

const status = readFileSync(`/proc/${pid}/status`, 'utf8');
const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
const [, parent, group, session, terminal] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
const checks: [string, boolean][] = [
  ['it is not the process that was started', pid !== starter.pid],
  ['its parent is gone, somebody else adopted it', Number(parent) !== starter.pid && Number(parent) !== process.pid],
  ['it has a session of its own', session !== `${process.pid}` && session === group],
  ['it does not lead that session', session !== `${pid}`],
  ['it has no controlling terminal', terminal === '0'],
  ['its umask is 0', /^Umask:\s*0000$/m.test(status)],
  ['its working directory is /', readlinkSync(`/proc/${pid}/cwd`) === '/'],
  ['0, 1 and 2 are /dev/null', [0, 1, 2].every((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`) === '/dev/null')],
];
say('a daemon, seen from /proc:');
for (const [what, holds] of checks) indent(`${holds ? 'yes' : 'NO '}  ${what}`);

say(`$ kill ${pid}`);
daemon.signal('SIGTERM');
await daemon.wait();
indent('it has ended');

process.exitCode = checks.every(([, holds]) => holds) ? 0 : 1;
