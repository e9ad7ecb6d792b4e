// Contexts and modules of vm, an endless script stopped by its time-out (a watchdog thread), cached data.
import assert from 'node:assert/strict';
import { createContext, runInContext, runInNewContext, Script } from 'node:vm';
import { inBoth } from '../support.js';

const context = createContext({ total: 0, list: [] as number[] });
const script = new Script('total += 1; list.push(total); total');

function exercise(): void {
  const start = context.total;
  for (let i = 1; i <= 20; i++) assert.equal(script.runInContext(context), start + i);
  assert.equal(runInNewContext('a + b', { a: 40, b: 2 }), 42);
  assert.throws(() => runInContext('for (;;);', context, { timeout: 20 }), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  const source = '(function (n) { return n < 2 ? n : arguments.callee(n - 1) + arguments.callee(n - 2); })';
  const cachedData = new Script(source).createCachedData();
  const cached = new Script(source, { cachedData });
  assert.equal(cached.cachedDataRejected, false);
  assert.equal(cached.runInThisContext()(15), 610);
  for (let i = 0; i < 30; i++) runInNewContext('this.garbage = new Array(1000).fill({})', {});
}

exercise();
await inBoth(exercise);
