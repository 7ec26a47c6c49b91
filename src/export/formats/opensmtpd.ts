/**
 * OpenSMTPD: a file table of mail addresses (table(5)), one a line. It can say that an address exists and nothing else.
 */
import type { TextFormat } from './format.js';

export const opensmtpd: TextFormat = {
  saysOnlyExists: true,
  line({ local, domain }) {
    return /[\s#"\\:,<>]/.test(local) ? undefined : `${local}@${domain}`;
  },
  notes: ({ path }) => [
    `smtpd.conf: table recipients file:${path}`,
    'smtpd.conf: match from any for rcpt-to <recipients> action "relay"',
    'After each change: smtpctl update table recipients',
  ],
};
