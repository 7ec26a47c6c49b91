/**
 * Postfix: the source of `texthash:`, `lmdb:`, `cdb:` and `hash:` tables (postmap(1)).
 *
 * One file serves two parameters. In `relay_recipient_maps` a key means that the address exists, and Postfix refuses any
 * other. In `check_recipient_access` the value counts: `DUNNO`, or the 4xx of an address that was removed lately.
 */
import { formatMailbox } from '../../address/mailbox.js';
import type { TextFormat } from './format.js';

export const texthash: TextFormat = {
  saysOnlyExists: false,
  line({ local, domain, word, reply }) {
    // a line that begins with # is a comment, and Postfix asks for such an address as it is
    if (local.startsWith('#')) return undefined;
    const value = word === 'known' ? 'DUNNO' : `${reply.code} ${reply.status} ${reply.text}`;
    return `${formatMailbox({ local, domain })} ${value}`;
  },
  notes: ({ path, delimiters }) => [
    `main.cf: relay_recipient_maps = texthash:${path}`,
    `main.cf: smtpd_recipient_restrictions = ..., check_recipient_access texthash:${path}`,
    ...recipientDelimiter(delimiters),
  ],
};

/** Postfix takes subaddresses apart itself, for all domains alike. */
export function recipientDelimiter(delimiters: readonly string[]): string[] {
  return delimiters.length === 0 ? [] : [`main.cf: recipient_delimiter = ${delimiters.join('')}`];
}
