/**
 * Addresses without `@` that Postfix makes one of: `host!user` and `user%host`, with its defaults (`swap_bangpath`,
 * `allow_percent_hack`). Octets or text; undefined for a name alone.
 */
export function routedRecipient(recipient: string): string | undefined {
  const bang = recipient.indexOf('!');
  if (bang !== -1) return `${recipient.slice(bang + 1)}@${recipient.slice(0, bang)}`;
  const percent = recipient.lastIndexOf('%');
  return percent === -1 ? undefined : `${recipient.slice(0, percent)}@${recipient.slice(percent + 1)}`;
}
