// Kills the starter, the first child or the daemon at system calls spread over all of starting, in both modes; afterwards
// there has to be a whole daemon or nothing, and a next start must succeed.
//
//   npm run test:faults [-- --points 204]
import { parseArgs } from 'node:util';
import { MODES } from '../helpers/plain-daemon.js';
import { prepareFaults, ROLES, spread } from './runner.js';

const { values } = parseArgs({ options: { points: { type: 'string', default: '204' } } });
const each = Math.ceil(Number(values.points) / (MODES.length * ROLES.length));

const faults = prepareFaults();
let failures = 0;
const rows: object[] = [];
try {
  for (const mode of MODES) {
    const calls = await faults.count(mode, 'immediate');
    for (const [role, victim] of ROLES.entries()) {
      const row = {
        mode,
        victim,
        'system calls': calls[role],
        points: 0,
        missed: 0,
        'a daemon': 0,
        nothing: 0,
        wrong: 0,
      };
      for (const [i, at] of spread(calls[role] as number, each).entries()) {
        const fault = { mode, role, at, ready: i % 2 ? ('manual' as const) : ('immediate' as const) };
        try {
          const { left, hit } = await faults.run(fault);
          row[left]++;
          if (!hit) row.missed++;
        } catch (error) {
          row.wrong++;
          failures++;
          console.error(JSON.stringify(fault), (error as Error).message);
        }
        row.points++;
      }
      rows.push(row);
    }
  }
} finally {
  await faults.end();
}
console.table(rows);
process.exitCode = failures > 0 ? 1 : 0;
