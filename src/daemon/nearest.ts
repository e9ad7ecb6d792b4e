import { closest, distance } from 'fastest-levenshtein';

/** What somebody who wrote `word` may have meant: the known one that few letters away; undefined if none is near. */
export function nearestOf(word: string, known: readonly string[]): string | undefined {
  const nearest = known.length > 0 ? closest(word, known) : undefined;
  return nearest !== undefined && distance(word, nearest) <= Math.max(2, nearest.length / 3) ? nearest : undefined;
}
