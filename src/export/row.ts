/**
 * What an export is made of: one row for each address that Rollcall would take, or defers for now.
 *
 * Whoever is not in a file does not exist for the mail server that reads it. So the rows may only ever be kinder than the
 * verdicts: an address that is taken from some senders and not from others is a row.
 */
import type { Reply } from '../policy/verdict.js';

export interface ExportRow {
  /** Local part without quotes, folded to lower case (but `again`). Any character but controls. */
  readonly local: string;
  /** A-label, or the same domain as U-label in a row of its own. */
  readonly domain: string;
  /** `accept` or `defer`, with what a format that can say more than "exists" says. */
  readonly reply: Reply;
  /** `removed`: left the list lately, and is deferred. */
  readonly word: 'known' | 'removed';
  /** Another spelling of the row before. */
  readonly again?: boolean;
}

/** What is counted in the file and compared with the next one. */
export interface DomainCount {
  /** A-label. */
  readonly domain: string;
  /** Listed addresses; those that are always known not counted. */
  readonly addresses: number;
}
