/**
 * "Did you mean": the known word nearest to a mistyped one. Promises silence over a wild guess.
 */

/** Thousands of mistakes among thousands of names would take minutes to compare. */
const mostKnown = 500;

/** ` (did you mean "x"?)`, or nothing. Anything that is not text gets nothing. */
export function didYouMean(input: unknown, known: readonly string[]): string {
  if (typeof input !== 'string' || input.length > 64 || known.length > mostKnown) return '';
  const nearest = known
    .map((word) => ({ word, distance: distance(input.toLowerCase(), word.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (nearest === undefined || nearest.distance > Math.ceil(nearest.word.length / 3)) return '';
  return ` (did you mean "${nearest.word}"?)`;
}

/** Levenshtein distance; letters that only changed places count as one mistake. */
function distance(a: string, b: string): number {
  if (a !== b && letters(a) === letters(b)) return 1;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, left] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, right] of Array.from(b).entries()) {
      const replaced = (row[j] ?? 0) + (left === right ? 0 : 1);
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function letters(word: string): string {
  return Array.from(word).toSorted().join('');
}
