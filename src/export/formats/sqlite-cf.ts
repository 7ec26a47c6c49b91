/** The Postfix side of an SQLite export: the `.cf` that `sqlite:` reads (sqlite_table(5)). */
import { recipientDelimiter } from './texthash.js';

export function sqliteCf(path: string, delimiters: readonly string[]): { path: string; text: string } {
  const cf = `${path}.cf`;
  return {
    path: cf,
    text: [
      '# Written by `rollcall export`: do not edit.',
      `# main.cf: relay_recipient_maps = sqlite:${cf}`,
      `# main.cf: smtpd_recipient_restrictions = ..., check_recipient_access sqlite:${cf}`,
      ...recipientDelimiter(delimiters).map((line) => `# ${line}`),
      '# A running smtpd keeps the file that it opened: `postfix reload` after each change.',
      `dbpath = ${path}`,
      "query = SELECT action FROM recipient WHERE address = '%s'",
      '',
    ].join('\n'),
  };
}
