/**
 * Globs over local parts and addresses: `*` is any run of characters, `?` any one. Never backtracks over more than the last
 * `*`, so the time is bounded by pattern length times text length, whatever a sender chooses.
 */

export function matchesGlob(glob: string, text: string): boolean {
  let g = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    if (glob[g] === '*') {
      star = g++;
      resume = t;
    } else if (g < glob.length && (glob[g] === '?' || glob[g] === text[t])) {
      g++;
      t++;
    } else if (star >= 0) {
      // let the last `*` take one character more; an earlier one never needs to be tried again
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}

export function createPatternMatcher(globs: readonly string[]): (text: string) => boolean {
  if (globs.length === 0) return () => false;
  return (text) => globs.some((glob) => matchesGlob(glob, text));
}
