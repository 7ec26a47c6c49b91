/**
 * Subaddresses (RFC 5233): `user+detail` is delivered to `user`.
 *
 * Promises: every part that stands before a delimiter, the longest first, at most `maxBases` of them. Mail systems differ in
 * where they cut when several delimiters are set or one occurs twice, and to cut elsewhere than they do would make somebody
 * unknown. Refuses to make a local part of nothing: `+detail` has no base.
 */
export const maxBases = 4;

const none: readonly string[] = [];

/** The parts of `local` before its delimiters, longest first; when there are many, the shortest is among them (Postfix). */
export function subaddressBases(local: string, delimiters: readonly string[]): readonly string[] {
  const cuts = new Set<number>();
  for (const delimiter of delimiters) {
    if (delimiter === '') continue;
    for (let at = local.indexOf(delimiter); at !== -1; at = local.indexOf(delimiter, at + 1)) {
      if (at > 0) cuts.add(at);
    }
  }
  if (cuts.size === 0) return none;
  const sorted = [...cuts].sort((a, b) => b - a);
  const kept = sorted.length <= maxBases ? sorted : [...sorted.slice(0, maxBases - 1), ...sorted.slice(-1)];
  return kept.map((cut) => local.slice(0, cut));
}
