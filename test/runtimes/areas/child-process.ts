// Starting programs: spawn, exec, execFile, the synchronous ones, fork with IPC; one that was running at the fork.
import assert from 'node:assert/strict';
import { exec, execFileSync, execSync, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inBoth, sampleBytes } from '../support.js';

if (process.argv[2] === 'ipc') {
  process.on('message', (message) => process.send?.({ echo: message, pid: process.pid }));
} else {
  await exercise();
  const before = spawn('cat');
  await inBoth(exercise);
  // It belongs to the parent alone, which hears of its end.
  before.stdin.end('still here');
  assert.equal(await text(before.stdout), 'still here');
  assert.deepEqual([before.exitCode ?? (await once(before, 'exit'))[0], before.signalCode], [0, null]);
}

async function exercise(): Promise<void> {
  const bytes = sampleBytes(300_000);
  const cat = spawn('cat');
  cat.stdin.end(bytes);
  assert.equal((await text(cat.stdout.setEncoding('latin1'))).length, bytes.length);

  const { stdout, stderr } = await promisify(exec)('echo out; echo err >&2');
  assert.deepEqual([stdout, stderr], ['out\n', 'err\n']);
  await assert.rejects(promisify(exec)('exit 3'), { code: 3 });
  assert.equal(execSync('echo $PPID', { encoding: 'utf8' }).trim(), String(process.pid));
  assert.equal(execFileSync('cat', { input: 'piped', encoding: 'utf8' }), 'piped');
  assert.equal(spawnSync('sh', ['-c', 'kill -KILL $$']).signal, 'SIGKILL');
  await assert.rejects(once(spawn('/nonexistent/program'), 'spawn'), { code: 'ENOENT' });

  const ends = await Promise.all(Array.from({ length: 10 }, (_, i) => once(spawn('sh', ['-c', `exit ${i}`]), 'exit')));
  assert.deepEqual(
    ends.map(([code]) => code),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );

  const peer = fork(fileURLToPath(import.meta.url), ['ipc']);
  peer.send({ n: 1, list: ['a', 'b'] });
  const [reply] = await once(peer, 'message');
  assert.deepEqual(reply, { echo: { n: 1, list: ['a', 'b'] }, pid: peer.pid });
  peer.disconnect();
  assert.deepEqual(await once(peer, 'exit'), [0, null]);
}
