// Ends by process.exit() in a timer while Workers run and the pool is busy; its exit handlers run.
import { pbkdf2 } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const worker = new Worker('setInterval(() => new Array(10000).fill({}), 1)', { eval: true });
await once(worker, 'online');
for (let i = 0; i < 8; i++) pbkdf2('a', 'b', 10_000, 16, 'sha512', () => {});
process.on('exit', (code) => console.log(`exit event: ${code}`));
setTimeout(() => process.exit(37), 5);
