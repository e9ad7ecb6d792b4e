// What the fixture `chatter` has written, as it came into logs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const LINE = /^(\d{8}) (x*) end$/;

/** The numbers of the lines of some files, in their order; fails on a line that isn't whole. */
export function numbersIn(...paths: string[]): number[] {
  return paths.flatMap((path) => {
    const text = readFileSync(path, 'latin1');
    assert.ok(
      text === '' || text.endsWith('\n'),
      `${path} ends with a split line: ${JSON.stringify(text.slice(-120))}`,
    );
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => {
        const [, number, filler] = LINE.exec(line) ?? [];
        const isWhole = number !== undefined && filler?.length === Number(number) % 97;
        assert.ok(isWhole, `${path} has a split line: ${JSON.stringify(line.slice(0, 200))}`);
        return Number(number);
      });
  });
}

/** Asserts that these are the numbers from 0 on, each once and in order. */
export function assertAll(numbers: readonly number[], count: number): void {
  const wrong = numbers.findIndex((number, i) => number !== i);
  assert.equal(wrong, -1, `line ${wrong} is number ${numbers[wrong]}`);
  assert.equal(numbers.length, count);
}
