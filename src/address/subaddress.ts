/**
 * Subaddresses (RFC 5233): `user+detail` is delivered to `user`.
 *
 * Promises: cuts where Postfix does, at the leftmost delimiter, whichever of them it is. Refuses to make a local part
 * of nothing: `+detail` has no base.
 */

/** The part of `local` before its leftmost delimiter; undefined when there is none, or nothing stands before it. */
export function withoutSubaddress(local: string, delimiters: readonly string[]): string | undefined {
  let cut = local.length;
  for (const delimiter of delimiters) {
    const at = delimiter === '' ? -1 : local.indexOf(delimiter);
    if (at !== -1 && at < cut) cut = at;
  }
  return cut === 0 || cut === local.length ? undefined : local.slice(0, cut);
}
