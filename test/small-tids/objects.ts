// The same in V8's own heap: plain arrays and objects.
import type { Change } from './holdings.js';
import { runValue } from './patterns.js';

interface Fields {
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  f: number;
}

const FIELDS = 6;

/** Plain arrays and objects of runs of 0 and 1, of some 8 MiB each. */
export class Objects {
  readonly #arrays = Array.from({ length: 1024 }, () => Array.from({ length: 1024 }, (_, i) => runValue(i)));
  readonly #objects: Fields[] = Array.from({ length: 100_000 }, (_, n) => {
    const value = (field: number) => runValue(n * FIELDS + field);
    return { a: value(0), b: value(1), c: value(2), d: value(3), e: value(4), f: value(5) };
  });

  changes(): Change[] {
    let inArrays = 0;
    for (const array of this.#arrays) {
      for (let i = 0; i < array.length; i++) if (array[i] !== runValue(i)) inArrays++;
    }
    let inObjects = 0;
    let index = 0;
    for (const { a, b, c, d, e, f } of this.#objects) {
      const all = [a, b, c, d, e, f];
      for (const value of all) if (value !== runValue(index++)) inObjects++;
    }
    return [
      { what: 'plain arrays', bytes: inArrays * 8, example: `${inArrays} numbers` },
      { what: 'plain objects', bytes: inObjects * 8, example: `${inObjects} numbers` },
    ].filter(({ bytes }) => bytes > 0);
  }
}
