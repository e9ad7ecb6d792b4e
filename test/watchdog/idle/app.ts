// An app that has nothing to do: node app.js plain | watchdog WORKERS
import { createServer } from 'node:http';
import { watchdog } from 'posix-daemon';

const [mode, workers] = process.argv.slice(2);
createServer().listen(0, '127.0.0.1', async () => {
  if (mode === 'watchdog') await watchdog({ workers: Number(workers), title: 'idle' });
  console.log('ready');
});
