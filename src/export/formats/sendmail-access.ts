/**
 * Sendmail: lines for the access map (cf/README, "ANTI-SPAM CONFIGURATION CONTROL"), to be made into a map by makemap.
 *
 * Sendmail has no list of relay recipients: an address that exists is `RELAY`, and each domain ends with an entry of its
 * own that refuses the rest of it. That entry holds for subdomains too.
 */
import { displayDomain } from '../../address/domain.js';
import type { Reply } from '../../policy/verdict.js';
import type { TextFormat } from './format.js';

export const sendmailAccess: TextFormat = {
  saysOnlyExists: false,
  line({ local, domain, word, reply }) {
    // makemap cuts keys at white space, and takes # for a comment
    if (/[\s#"\\]/.test(local)) return undefined;
    const value = word === 'known' ? 'RELAY' : errorOf(reply);
    return `To:${local}@${domain}\t${value}`;
  },
  tail: (domains) =>
    domains.flatMap(({ domain, replies }) => {
      const refusal = errorOf(replies.unknown);
      return [...new Set([domain, displayDomain(domain)])].map((name) => `To:${name}\t${refusal}`);
    }),
  notes: ({ path }) => [
    `sh -c 'makemap hash /etc/mail/access < ${path}'`,
    "sendmail.mc: FEATURE(`access_db') and FEATURE(`blacklist_recipients')",
  ],
};

/** The text stands in quotes, and may have none of its own. */
function errorOf({ code, status, text }: Reply): string {
  return `ERROR:${status}:"${code} ${text.replaceAll('"', "'")}"`;
}
