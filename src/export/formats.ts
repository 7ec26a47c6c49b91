/** The formats by their names in the configuration. */
import { lsearch } from './formats/lsearch.js';
import { opensmtpd } from './formats/opensmtpd.js';
import { plain } from './formats/plain.js';
import { sendmailAccess } from './formats/sendmail-access.js';
import { sqliteCf } from './formats/sqlite-cf.js';
import { texthash } from './formats/texthash.js';
import { sqliteWriter } from './sqlite-writer.js';
import { textWriter } from './text-writer.js';
import type { Folding } from './variants.js';
import type { Writer } from './writer.js';

export interface Format {
  readonly writer: Writer;
  /** A small file that goes with it and is written only when it differs. */
  readonly companion?: (path: string, delimiters: readonly string[]) => { path: string; text: string };
  /**
   * Where the mail server cuts subaddresses off: `+` and nowhere else, one character for all domains, or the delimiters of
   * all domains in any. Default: those of the domain.
   */
  readonly cutsAt?: 'plus' | 'one' | 'all';
  /** Which letters the mail server folds, in what it is asked for and in the file. Default: whoever reads it folds all. */
  readonly folding?: Folding;
  /** The mail server looks into the domain for subdomains too. */
  readonly coversSubdomains?: boolean;
  /** Addresses from which on the mail server that reads it becomes slow. */
  readonly slowFrom?: number;
}

export const formats = {
  texthash: { writer: textWriter(texthash), cutsAt: 'all', folding: 'unicode' },
  sqlite: { writer: sqliteWriter, companion: sqliteCf, cutsAt: 'all', folding: 'ascii' },
  lsearch: { writer: textWriter(lsearch), folding: 'ascii' },
  'sendmail-access': {
    writer: textWriter(sendmailAccess),
    coversSubdomains: true,
    cutsAt: 'plus',
    folding: 'ascii',
  },
  // measured: 234,000 addresses take 60 ms a recipient, as the file is searched line by line
  opensmtpd: { writer: textWriter(opensmtpd), slowFrom: 20_000, cutsAt: 'one', folding: 'ascii' },
  plain: { writer: textWriter(plain) },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof formats;
