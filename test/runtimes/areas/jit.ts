// Hot code is optimised in a forked process too, which takes the compiler's own threads; so is what the fork found
// optimised, and what has to be thrown away because a type changed.
import assert from 'node:assert/strict';
import { inBoth } from '../support.js';

// With --allow-natives-syntax.
const optimised = new Function('f', 'return %ActiveTierIsTurbofan(f)') as (f: unknown) => boolean;

function fresh(): (a: number, b: number) => number {
  return new Function(
    'a',
    'b',
    'let t = 0; for (let i = 0; i < 200; i++) t = (t * 31 + a * i + b) | 0; return t;',
  ) as never;
}

const keepInterpreted = new Function('f', '%NeverOptimizeFunction(f)') as (f: unknown) => void;
// Or it takes f in, and f isn't called any more: then it never becomes hot itself.
keepInterpreted(heat);

// Runs until the compiler's thread has delivered; the driver's deadline is the limit.
async function heat(f: (a: number, b: number) => number): Promise<void> {
  while (!optimised(f)) {
    for (let i = 0; i < 5000; i++) f(i, 2);
    await new Promise(setImmediate);
  }
}

const before = fresh();
await heat(before);
const expected = before(3, 4);
await inBoth(async () => {
  assert.equal(optimised(before), true);
  assert.equal(before(3, 4), expected);
  assert.equal(before('3' as never, 4), fresh()('3' as never, 4)); // another type
  await heat(before);
  for (let i = 0; i < 5; i++) {
    const f = fresh();
    await heat(f);
    assert.equal(f(3, 4), expected);
  }
});
