import { distance } from 'fastest-levenshtein';

/** The known word that was probably meant; undefined if none is near. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  // A third of the letters may be wrong, and of a short word one.
  let best = Math.max(1, Math.floor(word.length / 3)) + 1;
  let found: string | undefined;
  for (const candidate of known) {
    const length = candidate.startsWith(word) && word.length > 1 ? 1 : distance(word, candidate);
    if (length < best) [best, found] = [length, candidate];
  }
  return found;
}
