// Starts one daemon many times at the same moment, again and again: one start has to succeed, all others to be refused.
//
//   npm run test:starts [-- --starts 100 --rounds 20 --mode exec]
import { parseArgs } from 'node:util';
import { MODES } from '../helpers/plain-daemon.js';
import { startAll } from './runner.js';

const { values } = parseArgs({
  options: {
    starts: { type: 'string', default: '100' },
    rounds: { type: 'string', default: '20' },
    mode: { type: 'string' },
  },
});
const starts = Number(values.starts);

let failures = 0;
console.log('mode  round  starts  succeeded  refused  daemons     ms');
for (const mode of MODES.filter((one) => values.mode === undefined || values.mode === one)) {
  for (let round = 1; round <= Number(values.rounds); round++) {
    const began = performance.now();
    // Every other one over a file that a crash has left.
    const { succeeded, refused, other, daemons } = await startAll(mode, starts, round % 2 === 0);
    if (succeeded !== 1 || daemons !== 1 || refused !== starts - 1) failures++;
    for (const said of other) console.error(said);
    const numbers = [round, starts, succeeded, refused, daemons, Math.round(performance.now() - began)];
    const widths = [7, 8, 11, 9, 9, 7];
    console.log(mode + numbers.map((number, i) => String(number).padStart(widths[i] as number)).join(''));
  }
}
console.log(
  failures === 0 ? 'each round: one daemon, and a clear error for everybody else' : `${failures} rounds were wrong`,
);
process.exitCode = failures > 0 ? 1 : 0;
