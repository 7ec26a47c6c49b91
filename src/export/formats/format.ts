/** What a text format is: how a row is written, and what a person must know who reads the file. Each is pure. */
import type { DomainPolicy } from '../../policy/domain-table.js';
import type { ExportRow } from '../row.js';

export interface TextFormat {
  /** The line of a row, without its end; undefined when this format has no way to write such an address. */
  line(row: ExportRow): string | undefined;
  /** Lines after the rows. */
  tail?(domains: readonly DomainPolicy[]): readonly string[];
  /** What the reader of the file must be told; each one line, each written as a comment. */
  notes(context: NoteContext): readonly string[];
  /** Who was removed lately is in the file as if nothing had happened: it can say nothing but "exists". */
  readonly saysOnlyExists: boolean;
}

export interface NoteContext {
  readonly path: string;
  /** The subaddress delimiters of all domains of the export. */
  readonly delimiters: readonly string[];
}
