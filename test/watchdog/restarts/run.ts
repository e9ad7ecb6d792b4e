// Kills a worker again and again, and looks at what that does to its watchdog.
//
//   npm run test:watchdog-restarts [-- --restarts 1000]
//
// Prints descriptors, memory and log after 2500 restarts, when V8's heap and the C library's have found their size, and after
// so many more; exit status 1 if any of them has grown: of the memory more than 1 MiB, of the descriptors more than the three of a
// standby that may be there or not.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findDaemon, openProcess } from 'posix-daemon';
import { until } from '../../helpers/fixture.js';

const { values } = parseArgs({ options: { restarts: { type: 'string', default: '1000' } } });
const WARM_UP = 2500;
const restarts = WARM_UP + Number(values.restarts);
const folder = mkdtempSync(join(tmpdir(), 'posix-daemon-restarts-'));
const app = fileURLToPath(new URL('app.js', import.meta.url));

/** The pids of the workers so far. */
function workers(): number[] {
  try {
    return readFileSync(join(folder, 'workers'), 'latin1').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

interface Seen {
  descriptors: number;
  privateKib: number;
  logBytes: number;
}

function look(pid: number): Seen {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  const privateKib = [...rollup.matchAll(/^(?:Private_Dirty|Shared_Dirty):\s+(\d+)/gm)].reduce(
    (sum, [, kib]) => sum + Number(kib),
    0,
  );
  const logBytes = statSync(join(folder, 'log')).size;
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, privateKib, logBytes };
}

const { status, stderr } = spawnSync(process.execPath, [app, folder], { encoding: 'utf8' });
if (status !== 0) throw new Error(stderr);
const watchdog = findDaemon(join(folder, 'pid'));
if (!watchdog) throw new Error('the watchdog is not there');
try {
  let first: Seen | undefined;
  for (let n = 0; n <= restarts; n++) {
    const pid = await until(`worker ${n}`, () => workers()[n]);
    if (n === WARM_UP) first = look(watchdog.pid);
    if (n === restarts) break;
    using worker = openProcess(pid);
    worker.signal('SIGKILL');
  }
  const last = look(watchdog.pid);
  for (const [at, seen] of [
    [WARM_UP, first],
    [restarts, last],
  ] as const) {
    console.log(
      `after ${at} restarts: ${seen?.descriptors} descriptors, ${seen?.privateKib} KiB written to, log of ${seen?.logBytes} bytes`,
    );
  }
  const grown =
    !first ||
    last.descriptors > first.descriptors + 3 ||
    last.logBytes > first.logBytes ||
    last.privateKib > first.privateKib + 1024;
  process.exitCode = grown ? 1 : 0;
} finally {
  const ended = watchdog.wait();
  watchdog.signal('SIGKILL');
  await ended;
  watchdog.close();
  rmSync(folder, { recursive: true, force: true });
}
