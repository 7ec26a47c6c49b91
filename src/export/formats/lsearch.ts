/**
 * Exim: a file for `lsearch`, and the source of `cdb` and `dbm` (spec.xfpt, "Single-key lookup types").
 *
 * The value is `known` or `removed`. Keys with a colon, a space or a quote are quoted, with backslashes escaped.
 */
import type { TextFormat } from './format.js';

const plainKey = /^[^\s:"\\#\x80-\uffff][^\s:"\\]*$/;

export const lsearch: TextFormat = {
  saysOnlyExists: false,
  line({ local, domain, word }) {
    const key = `${local}@${domain}`;
    return `${plainKey.test(key) ? key : `"${key.replace(/["\\]/g, '\\$&')}"`}: ${word}`;
  },
  notes: ({ path }) => [`Exim: \${lookup{$local_part@$domain}lsearch{${path}}{$value}{unknown}}`],
};
