/**
 * csv-parse, driven chunk by chunk, with the true line of every row.
 *
 * Promises: rows in order, each with the line it begins on, however many line breaks stand inside its quotes. Refuses what
 * csv-parse refuses (quotes out of place, a row without end), with that line. Knows no columns: rows may differ in length.
 */
import { CsvError, Parser } from 'csv-parse';
import { RollcallError } from '../../errors.js';

export interface Rows {
  readonly cells: readonly (readonly string[])[];
  /** The line that the row of the same index begins on, from 1. */
  readonly lines: readonly number[];
}

const maxRow = 1024 * 1024; // characters: thousands of aliases; beyond it a quote was left open

/** What makes rows of text: this parser, or that of lists without cells. */
export interface RowReader {
  /** The rows that are whole after this chunk. Throws `input`. */
  push(chunk: string): Rows;
  /** The rows that only the end made whole. Throws `input`. */
  end(): Rows;
}

export class RowParser implements RowReader {
  readonly #parser: CollectingParser;

  constructor(
    readonly label: string,
    delimiter: string,
    /** Lines before the first one given here. */
    linesBefore: number,
  ) {
    this.#parser = new CollectingParser(delimiter, linesBefore);
  }

  push(chunk: string): Rows {
    return this.#run((done) => this.#parser._transform(Buffer.from(chunk), 'utf8', done));
  }

  end(): Rows {
    return this.#run((done) => this.#parser._flush(done));
  }

  #run(step: (done: (error?: Error | null) => void) => void): Rows {
    let failure: Error | null | undefined;
    // Both steps call back before they return: csv-parse does all its work in between.
    step((error) => (failure = error));
    if (failure instanceof Error) throw this.#refuse(failure);
    return this.#parser.takeRows();
  }

  #refuse(error: Error): RollcallError {
    const where = `${this.label}, line ${String(this.#parser.nextLine)}`;
    const [text, hint] = (error instanceof CsvError ? complaints[error.code] : undefined) ?? [
      error.message,
      '',
    ];
    return new RollcallError('input', `${where}: ${text}`, { hint, cause: error });
  }
}

const quoting = 'A cell with quotes in it is written in quotes, and each quote inside twice.';
const complaints: Readonly<Record<string, readonly [string, string]>> = {
  CSV_QUOTE_NOT_CLOSED: ['the row that begins here has a quote that is never closed', quoting],
  CSV_MAX_RECORD_SIZE: ['the row that begins here does not end: is there a quote too many?', quoting],
  CSV_INVALID_CLOSING_QUOTE: ['the row that begins here has text after a closing quote', quoting],
  CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE: [
    'the row that begins here has text after a closing quote',
    quoting,
  ],
  INVALID_OPENING_QUOTE: ['the row that begins here has a quote in the middle of a cell', quoting],
};

/** Takes the rows where csv-parse would queue them in its stream: a fifth of the time, and its line count is still true. */
class CollectingParser extends Parser {
  #cells: string[][] = [];
  #lines: number[] = [];
  #counted = 0;
  #emptyBefore = 0;
  #line: number;

  constructor(delimiter: string, linesBefore: number) {
    super({
      delimiter,
      // All three: with the default, the kind of the first line break would have to be that of all.
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true, // or white space before or behind quotes would be text outside of them
      max_record_size: maxRow,
    });
    this.#line = linesBefore;
  }

  /** Where the next row begins: after the last one, and the empty lines behind it. */
  get nextLine(): number {
    return this.#line + 1 + this.info.empty_lines - this.#emptyBefore;
  }

  takeRows(): Rows {
    const rows = { cells: this.#cells, lines: this.#lines };
    this.#cells = [];
    this.#lines = [];
    return rows;
  }

  override push(row: unknown): boolean {
    if (row === null) return true; // the end of the stream
    const cells = row as string[];
    this.#cells.push(cells);
    this.#lines.push(this.#startOf(cells));
    this.#emptyBefore = this.info.empty_lines;
    return true;
  }

  /** Where the row begins. csv-parse counts a CRLF inside quotes as two lines; empty lines it only counts. */
  #startOf(cells: readonly string[]): number {
    const passed = this.info.lines - this.#counted;
    this.#counted = this.info.lines;
    if (passed === 1) return (this.#line += 1);
    let breaks = 0;
    let crlf = 0;
    for (const cell of cells) {
      for (const [found] of cell.matchAll(/\r\n|\r|\n/g)) {
        breaks += 1;
        if (found.length === 2) crlf += 1;
      }
    }
    const start = this.#line + passed - breaks - crlf;
    this.#line = start + breaks;
    return start;
  }
}
