// A watchdog to be killed: node victim.js MEMBERS [SETUID_SLEEP]
import { watchdog } from 'posix-daemon';
import { startFamily } from './family.js';

const [members, setuidSleep] = process.argv.slice(2);
await watchdog();
startFamily(Number(members), setuidSleep);
console.log(`worker ${process.pid}`);
