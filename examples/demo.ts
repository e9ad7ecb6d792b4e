// npm run demo: starts the classic daemon, asks it something, looks at it from outside, and stops it; then the same by the
// command, with a web server that knows nothing of daemons; then a watchdog, whose worker is killed, and then itself.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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

/** Has the command posix-daemon do something, and shows it. */
function command(...args: string[]): void {
  say(`$ posix-daemon ${args.join(' ')}`);
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [posixDaemon, ...args], { encoding: 'utf8', env });
  indent(`${stdout}${stderr}`);
  indent(`(exit code ${status}, ${Math.round(performance.now() - start)} ms)`);
}

const posixDaemon = fileURLToPath(new URL('../../dist/posix-daemon.cjs', import.meta.url));
const home = mkdtempSync(join(tmpdir(), 'posix-daemon-demo-'));
const env = { ...process.env, POSIX_DAEMON_HOME: home };
const server = join(home, 'server.mjs');
writeFileSync(
  server,
  `import { createServer } from 'node:http';
const server = createServer((_, response) => response.end(\`\${process.pid}\\n\`));
server.listen(0, '127.0.0.1', () => console.log(\`listening on port \${server.address().port}\`));
`,
);
try {
  command('start', '--name', 'web', '--up-ms', '200', '--', server);
  command('status', 'web');
  command('start', '--name', 'web', '--', server);
  command('restart', 'web');
  command('logs', 'web');
  command('stop', 'web');
  command('status', 'web');
} finally {
  spawnSync(process.execPath, [posixDaemon, 'stop', 'web'], { env });
  rmSync(home, { recursive: true, force: true });
}

const WORKERS = 4;
const prefork = fileURLToPath(new URL('prefork-http.js', import.meta.url));
say(`$ node examples/prefork-http.js ${WORKERS}`);
const watchdog = spawn(process.execPath, [prefork, `${WORKERS}`], { stdio: ['ignore', 'pipe', 'inherit'] });
const lines = createInterface({ input: watchdog.stdout })[Symbol.asyncIterator]();

/** The next worker to begin, as the program says. */
async function nextWorker(): Promise<{ pid: number; line: string }> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) throw new Error('the watchdog has ended');
    const [line, pid] = /^worker \d+ has pid (\d+)$/.exec(value) ?? [];
    if (line) return { line, pid: Number(pid) };
    indent(value);
  }
}

const pids: number[] = [];
while (pids.length < WORKERS) {
  const { pid: worker, line } = await nextWorker();
  indent(line);
  pids.push(worker);
}
const [victim, ...rest] = pids as [number, ...number[]];
say(`$ kill -KILL ${victim}`);
let killed = performance.now();
process.kill(victim, 'SIGKILL');
const back = await nextWorker();
indent(`${back.line}: back after ${Math.round(performance.now() - killed)} ms`);

say(`$ kill -KILL ${watchdog.pid}   # the watchdog itself`);
const handles = [back.pid, ...rest].map(openProcess);
const ended = once(watchdog, 'exit');
killed = performance.now();
watchdog.kill('SIGKILL');
await Promise.all([ended, ...handles.map((handle) => handle.wait())]);
indent(`nothing is left of it and its ${handles.length} workers after ${Math.round(performance.now() - killed)} ms`);
for (const handle of handles) handle.close();

process.exitCode = checks.every(([, holds]) => holds) ? 0 : 1;
