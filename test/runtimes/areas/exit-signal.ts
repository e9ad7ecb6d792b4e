// Ends by a signal it sends itself, whose handler is gone again.
import { once } from 'node:events';

const hold = setInterval(() => {}, 1000);
const heard = once(process, 'SIGTERM');
process.kill(process.pid, 'SIGTERM');
await heard;
clearInterval(hold);
setInterval(() => process.kill(process.pid, 'SIGTERM'), 1);
