/**
 * One read of a list: bytes to text, text to rows, rows to entries.
 *
 * Promises: batches of a bounded size, and memory that does not grow with the list; every complaint with its line. What is to
 * be said of the whole is in tally.ts and report.ts.
 */
import type { Readable } from 'node:stream';
import { parseMailbox } from '../../address/mailbox.js';
import { messageOf, RollcallError } from '../../errors.js';
import type { Entry, ReadContext, ReadReport } from '../source.js';
import { newFindings } from '../written-address.js';
import { readCell } from './cell.js';
import { readPrelude, type Prelude } from './delimiter.js';
import { readHeader, type Columns } from './header.js';
import { lineListOf, LineListParser, type LineListKind } from './line-list.js';
import type { CsvSourceOptions } from './options.js';
import { makeReport } from './report.js';
import { RowParser, type RowReader, type Rows } from './row-parser.js';
import { isMessenger, readRow, type RowRules } from './row.js';
import { encodingOf, refuseNonList, refuseNonListText, type Encoding } from './sniff.js';
import { Tally } from './tally.js';
import { TextReader } from './text.js';
import { guessUnknown } from './unknown-bytes.js';
import { UnreadCells } from './unread-cells.js';

const batchSize = 2000;
const sampleSize = 4096; // octets looked at before the first row is read
const pieceSize = 16 * 1024; // characters parsed at once: senders may send a few bytes at a time

/** What the list was taken for. */
export interface Taken {
  readonly encoding: Encoding['name'];
  readonly delimiter: string;
  readonly lineList: LineListKind | undefined;
}

export class Reading {
  readonly #options: CsvSourceOptions;
  readonly #context: ReadContext;
  #prelude: Prelude | undefined;
  #lineList: LineListKind | undefined;
  #rules: RowRules | undefined;
  readonly #tally = new Tally();
  #unread: UnreadCells | undefined;

  constructor(options: CsvSourceOptions, context: ReadContext) {
    this.#options = options;
    this.#context = context;
  }

  async *run(): AsyncGenerator<readonly Entry[], ReadReport, void> {
    const { signal } = this.#context;
    signal.throwIfAborted();
    const stream = await this.#options.open();
    const abort = (): void => void stream.destroy();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return yield* this.#read(stream);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RollcallError) throw error;
      throw new RollcallError('input', `${this.#options.label}: the list ended early: ${messageOf(error)}`, {
        cause: error,
      });
    } finally {
      signal.removeEventListener('abort', abort);
      stream.destroy();
    }
  }

  async *#read(stream: Readable): AsyncGenerator<readonly Entry[], ReadReport, void> {
    const { label } = this.#options;
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
    const { bytes, isWhole } = await firstBytes(chunks);
    if (bytes.length === 0) throw new RollcallError('input', `${label}: the list is empty`);
    refuseNonList(bytes, label);
    const encoding = encodingOf(bytes, this.#options.encoding);
    const reader = new TextReader(label, encoding);
    const start = reader.push(bytes.subarray(encoding.skip)) + (isWhole ? reader.end() : '');
    refuseNonListText(start, label);
    const prelude = readPrelude(start, this.#options.delimiter);
    const parser = this.#parser(start.slice(prelude.length), prelude, isWhole);
    let text = start.slice(prelude.length);
    let batch: Entry[] = [];
    for (;;) {
      if (text.length >= pieceSize) {
        this.#add(parser.push(text), batch);
        text = '';
      }
      if (batch.length >= batchSize) {
        yield batch;
        batch = [];
      }
      const next = await chunks.next();
      this.#context.signal.throwIfAborted();
      if (next.done === true) break;
      text += reader.push(next.value);
    }
    this.#add(parser.push(text + reader.end()), batch);
    this.#add(parser.end(), batch);
    if (batch.length > 0) yield batch;
    this.#tally.comments += parser instanceof LineListParser ? parser.comments : 0;
    const taken = { encoding: encoding.name, delimiter: prelude.delimiter, lineList: this.#lineList };
    return makeReport(this.#options, this.#tally, reader, taken, this.#rules, this.#unread);
  }

  #parser(text: string, prelude: Prelude, isWhole: boolean): RowReader {
    const { label, header } = this.#options;
    this.#prelude = prelude;
    // A list of lines has no header; to somebody who says that there is one it is none.
    if (header !== true && !prelude.isTold) this.#lineList = lineListOf(text, isWhole);
    return this.#lineList === undefined
      ? new RowParser(label, prelude.delimiter, prelude.lines)
      : new LineListParser(label, prelude.lines);
  }

  #add(rows: Rows, batch: Entry[]): void {
    for (let index = 0; index < rows.cells.length; index += 1) {
      const cells = rows.cells[index] ?? [];
      const line = rows.lines[index] ?? 0;
      if (this.#rules === undefined && this.#isFirst(cells, line)) continue;
      if (this.#rules !== undefined) this.#addRow(cells, line, this.#rules, batch);
    }
    this.#context.progress(this.#tally.rows);
  }

  /** Sees what the first row tells; true when it is no entry itself. */
  #isFirst(cells: readonly string[], line: number): boolean {
    const { columns, isHeader } = this.#firstRow(cells);
    // `#1;ann@example.com` is a row
    if (columns === undefined && isComment(cells) && !holdsAddress(cells.slice(1))) {
      this.#tally.comments += 1;
      return true;
    }
    const { separator, respectDisabled } = this.#options;
    const isPositional = columns === undefined && !isHeader && isUserList(cells);
    this.#rules = { columns, separator, respectDisabled, isPositional };
    if (columns !== undefined) this.#unread = new UnreadCells(columns);
    if (isHeader && columns === undefined)
      this.#tell(line, ['taken for a header, but no name in it is known']);
    return isHeader;
  }

  #addRow(cells: readonly string[], line: number, rules: RowRules, batch: Entry[]): void {
    if (cells.length === 1 && isComment(cells)) {
      this.#tally.comments += 1;
      return;
    }
    const { columns } = rules;
    const skip = columns?.known?.skip;
    if (skip !== undefined && cells.some((cell) => skip.row.test(cell))) {
      this.#tell(line, [`skipped: it is ${skip.why}`]);
      return;
    }
    const row = readRow(cells, line, rules);
    if (row.blank) return;
    this.#tally.add(row, line, columns?.known?.hasMailless === true);
    if (row.entry !== undefined) batch.push(row.entry);
    this.#tell(line, row.problems);
    if (this.#unread !== undefined) this.#tell(line, this.#unread.look(cells, line, row.entry));
  }

  #tell(line: number, reasons: readonly string[]): void {
    for (const reason of reasons)
      this.#context.problem({ where: `line ${String(line)}`, reason: guessUnknown(reason) });
  }

  /** Whether the first row is a header, and which columns it names. */
  #firstRow(cells: readonly string[]): { columns: Columns | undefined; isHeader: boolean } {
    const { header, label, columns: configured = {} } = this.#options;
    if (header === false || (header === 'auto' && holdsAddress(cells))) {
      if (configured.address === undefined && configured.aliases === undefined) {
        return { columns: undefined, isHeader: false };
      }
      throw new RollcallError('input', `${label}: the first line is no header, but columns are named`);
    }
    const columns = readHeader(cells, configured, label, this.#prelude?.isTemplate === true);
    if (columns === undefined && header === true) {
      const names = cells.map((cell) => `"${guessUnknown(cell).trim()}"`).join(', ');
      throw new RollcallError('input', `${label}: no column with addresses among ${names}`, {
        hint: 'Name it: columns.address in the configuration of the source.',
      });
    }
    return { columns, isHeader: true };
  }
}

/** Enough bytes to see what the list is; all of a short one. */
async function firstBytes(
  chunks: AsyncIterator<Buffer, undefined>,
): Promise<{ bytes: Buffer; isWhole: boolean }> {
  const found: Buffer[] = [];
  let isWhole = false;
  for (let size = 0; size < sampleSize && !isWhole;) {
    const next = await chunks.next();
    if (next.done === true) isWhole = true;
    else {
      found.push(next.value);
      size += next.value.length;
    }
  }
  return { bytes: found.length === 1 ? (found[0] ?? Buffer.alloc(0)) : Buffer.concat(found), isWhole };
}

function holdsAddress(cells: readonly string[]): boolean {
  const found = newFindings();
  for (const cell of cells) readCell(cell, undefined, true, found);
  return found.addresses.length > 0 || found.refused.length > 0;
}

/** `#ann@example.com` may be an address; taken for one it does no harm. */
function isComment([first = '']: readonly string[]): boolean {
  return first.trimStart().startsWith('#') && !parseMailbox(first.trim()).ok;
}

/** Primary address, first name, last name, then whatever there is: the order of FOPE's lists of users. */
function isUserList([address = '', first, last, ...more]: readonly string[]): boolean {
  if (!address.includes('@') || first === undefined || last === undefined) return false;
  const isName = (cell: string): boolean => !cell.includes('@') && !isMessenger(cell);
  return isName(first) && isName(last) && (more.length > 0 || first.trim() !== '');
}
