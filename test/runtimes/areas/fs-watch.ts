// Watching files: inotify and stat polling, started before the fork and after it.
import { once } from 'node:events';
import { unwatchFile, watch, watchFile, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inBoth, scratchFolder } from '../support.js';

const folder = scratchFolder();

// Each side writes a file of its own and must hear of that one; what it hears of the other's is not waited for.
async function hear(watcher: ReturnType<typeof watch>): Promise<void> {
  const mine = `written-by-${process.pid}`;
  const heard = new Promise<void>((resolve) => {
    watcher.on('change', (_event, name) => name === mine && resolve());
  });
  writeFileSync(join(folder, mine), 'x');
  await heard;
  watcher.close();
}

await hear(watch(folder));

const before = watch(folder);
await inBoth(async () => {
  await hear(before);
  await hear(watch(folder));
});

await inBoth(async () => {
  const own = join(folder, `polled-by-${process.pid}`);
  const changed = new Promise<void>((resolve) => {
    watchFile(own, { interval: 10 }, ({ size }) => {
      if (size === 0)
        writeFileSync(own, 'four'); // the first call says that there is no such file
      else resolve();
    });
  });
  await changed;
  unwatchFile(own);
});

const controller = new AbortController();
const closed = once(watch(folder, { signal: controller.signal }), 'close');
controller.abort();
await closed;
