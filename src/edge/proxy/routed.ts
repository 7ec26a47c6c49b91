/**
 * Addresses that a mail server may rewrite into another domain's: `user%other.example@ours`, `other.example!user@ours`,
 * `"user@other.example"@ours` (RFC 5321 appendix F.2 and F.3 speak of the habit).
 *
 * Promises true for each of them, whatever its quotes; for what is no mailbox also when the sign is anywhere before the last `@`.
 */
import { parseMailbox } from '../../address/mailbox.js';

const signs = /[@%!]/;

export function isRouted(recipient: string): boolean {
  const at = recipient.lastIndexOf('@');
  // quotes hide none of the signs, so most addresses need no parsing; those in a source route are told apart below
  if (!signs.test(recipient.slice(0, Math.max(0, at)))) return false;
  const parsed = parseMailbox(recipient);
  return !parsed.ok || signs.test(parsed.mailbox.local);
}
