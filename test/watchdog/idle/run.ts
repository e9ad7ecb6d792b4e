// What an idle watchdog costs: system calls and wake-ups of the watchdog, its keepers and its standby, and their memory.
//
//   npm run test:watchdog-idle [-- --seconds 60]
//
// Exit status 1 if there is any call or wake-up, if a keeper has more than 1 MiB, or the watchdog with its keepers more than 15 MiB
// beyond the app; what the standby has is told, too. Needs strace.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pssKib, wakeUps } from '../../helpers/proc-memory.js';
import { descendants } from '../../helpers/processes.js';
import { titleOf } from '../../helpers/watchdog.js';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const MS = Number(values.seconds) * 1000;
const app = fileURLToPath(new URL('app.js', import.meta.url));
// V8's own jobs after the start: compiling, and giving memory back.
const SETTLES_MS = 10_000;

async function start(...args: string[]) {
  const child = spawn(process.execPath, [app, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  return child;
}

/** The lines that strace writes of these processes meanwhile, without those about its coming and going. */
async function traced(pids: readonly number[], ms: number): Promise<string[]> {
  const strace = spawn('strace', ['-f', '-qq', ...pids.flatMap((pid) => ['-p', `${pid}`])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  strace.stderr.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await sleep(ms);
  const closed = once(strace, 'close');
  strace.kill('SIGINT');
  await closed;
  // A call that was under way when strace came is shown as resumed or unfinished, and is none of this time.
  return text.split('\n').filter((line) => /\w\(/.test(line) && !/resumed|unfinished|detached/.test(line));
}

const plain = await start('plain');
const watchdog = await start('watchdog', '1');
try {
  await sleep(SETTLES_MS);
  const root = watchdog.pid as number;
  const all = [root, ...descendants(root)];
  const worker = all.find((pid) => titleOf(pid) === 'idle: worker 1');
  const others = all.filter((pid) => pid !== worker);
  const keepers = others.filter((pid) => titleOf(pid).startsWith('idle: keeper'));
  const before = others.map(wakeUps);
  await sleep(MS);
  const woken = others.map((pid, n) => wakeUps(pid) - (before[n] as number)).reduce((sum, count) => sum + count, 0);
  const calls = await traced(others, MS);
  const keeperKib = Math.max(...keepers.map(pssKib));
  const beyondMib = (all.map(pssKib).reduce((sum, kib) => sum + kib, 0) - pssKib(plain.pid as number)) / 1024;
  const standby = others.find((pid) => titleOf(pid) === 'idle: standby');
  const standbyMib = standby === undefined ? 0 : pssKib(standby) / 1024;
  const titles = others.map(titleOf).join(', ');
  console.log(`of ${titles}, in ${values.seconds} s each: ${calls.length} system calls, ${woken} wake-ups`);
  for (const line of calls.slice(0, 10)) console.log(`  ${line}`);
  console.log(
    `largest keeper: ${keeperKib} KiB; all but the app itself: ${beyondMib.toFixed(1)} MiB, of it the standby ${standbyMib.toFixed(1)} (PSS)`,
  );
  if (calls.length + woken > 0 || keeperKib > 1024 || beyondMib - standbyMib > 15) process.exitCode = 1;
} finally {
  plain.kill('SIGKILL');
  watchdog.kill('SIGKILL');
}
