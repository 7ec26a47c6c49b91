/**
 * What is counted while a list is read.
 *
 * Promises: bounded memory, whatever the length of the list.
 */
import type { EntryKind } from '../source.js';
import { LastRow } from './last-row.js';
import type { RowResult } from './row.js';

export class Tally {
  rows = 0;
  /** Rows without a usable address that should have one. */
  bad = 0;
  /** Rows with a usable address, and with another that could not be read. */
  partial = 0;
  entries = 0;
  comments = 0;
  /** Rows of people without a mailbox, where the export lists them as well. */
  mailless = 0;
  placeholders = 0;
  wildcards = 0;
  firstWildcard = 0;
  /** Rows with addresses whose encoding is not known. */
  unknown = 0;
  firstUnknown = 0;
  /** Addresses with letters beyond ASCII. */
  beyondAscii = 0;
  readonly kinds = new Set<EntryKind>();
  readonly lastRow = new LastRow();

  add(row: RowResult, line: number, hasMailless: boolean): void {
    this.rows += 1;
    this.lastRow.see(row);
    const { entry } = row;
    if (entry !== undefined) {
      this.entries += 1;
      this.kinds.add(entry.kind);
      if (!row.wildcard && row.problems.some((problem) => problem.includes('@'))) this.partial += 1;
      for (const { value } of entry.addresses) if (isBeyondAscii(value)) this.beyondAscii += 1;
    } else if (row.empty && hasMailless) this.mailless += 1;
    else if (!row.wildcard) this.bad += 1;
    if (row.placeholder) this.placeholders += 1;
    if (row.wildcard && (this.wildcards += 1) === 1) this.firstWildcard = line;
    if (row.unknown && (this.unknown += 1) === 1) this.firstUnknown = line;
  }
}

function isBeyondAscii(text: string): boolean {
  return /[\u0080-\uffff]/.test(text);
}
