import { createRequire } from 'node:module';

const require = createRequire(import.meta.filename);

/** The known word that was probably meant; undefined if none is near. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  // Loaded where somebody has mistyped something, and only there.
  const { distance } = require('fastest-levenshtein') as typeof import('fastest-levenshtein');
  // Two of five letters may be wrong: one that is missing, two that changed places.
  let best = Math.ceil(word.length * 0.4) + 1;
  let found: string | undefined;
  for (const candidate of known) {
    const length = candidate.startsWith(word) && word.length > 1 ? 1 : distance(word, candidate);
    if (length < best) [best, found] = [length, candidate];
  }
  return found;
}
