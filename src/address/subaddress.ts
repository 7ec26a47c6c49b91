/**
 * Subaddresses (RFC 5233): `user+detail` is delivered to `user`.
 *
 * Promises: every part that stands before a delimiter, the longest first, at most `maxBases` of them; when some are left out,
 * nobody may be denied for it. Mail systems differ in where they cut when several delimiters are set
 * or one occurs twice, and to cut elsewhere than they do would make somebody unknown. Linear time. Refuses to make a local
 * part of nothing: `+detail` has no base.
 */
export const maxBases = 32;

/** Of those, when there are more: mailboxes have short names, and what is generated behind them is long (VERP). */
const shortest = 16;

const none: readonly string[] = [];

/** The parts of `local` before its delimiters, longest first; of very many, the longest and the shortest. */
export function subaddressBases(local: string, delimiters: readonly string[]): readonly string[] {
  const cuts = cutsOf(local, delimiters);
  if (cuts === undefined) return none;
  if (cuts.length > maxBases) cuts.splice(maxBases - shortest, cuts.length - maxBases);
  return cuts.map((cut) => local.slice(0, cut));
}

/** Whether `subaddressBases` leaves some out. */
export function lacksBases(local: string, delimiters: readonly string[]): boolean {
  // as many delimiters need as many characters: ordinary local parts are not looked at
  return local.length > maxBases && (cutsOf(local, delimiters)?.length ?? 0) > maxBases;
}

/** Where delimiters begin, from the end; undefined when there are none. */
function cutsOf(local: string, delimiters: readonly string[]): number[] | undefined {
  let last = 0;
  for (const delimiter of delimiters)
    if (delimiter !== '') last = Math.max(last, local.lastIndexOf(delimiter));
  if (last === 0) return undefined;
  const cuts: number[] = [];
  for (let at = last; at > 0; at--) if (beginsOne(local, at, delimiters)) cuts.push(at);
  return cuts;
}

function beginsOne(local: string, at: number, delimiters: readonly string[]): boolean {
  for (const delimiter of delimiters) if (delimiter !== '' && local.startsWith(delimiter, at)) return true;
  return false;
}
