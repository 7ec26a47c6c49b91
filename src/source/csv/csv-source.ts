/**
 * The source `csv`: a list in a file or an upload, read as a stream.
 *
 * Promises: every row that could not be used, in whole or in part, is reported with its line; `complete` only when the list
 * was read to its end and nothing says that addresses are missing from it. Refuses the list whole (code `input`) when it is
 * not one, when its structure is broken, when it has no usable address, or when most of its rows have none.
 *
 * An object whose row could be used in part only is doubtful, and keeps what it had. A row without any usable address names
 * no object that could keep anything, nor does one whose primary address is the broken one: such rows are reported with
 * their line, maxBadPercent bounds the former, and the guard of the sync what they remove. They do not make the list
 * incomplete by themselves: one bad row that nobody mends would keep every leaver for ever.
 */
import { constants } from 'node:fs';
import { open as openFile, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { messageOf, RollcallError } from '../../errors.js';
import type { Entry, ReadContext, ReadReport, Source } from '../source.js';
import { newFindings } from '../written-address.js';
import { readCell } from './cell.js';
import { readHeader, type Columns } from './header.js';
import { LastRow } from './last-row.js';
import type { CsvSourceOptions } from './options.js';
import { RowParser, type Rows } from './row-parser.js';
import { readRow, type RowRules } from './row.js';
import { encodingOf, readPrelude, refuseNonList, refuseNonListText } from './sniff.js';
import { TextCheck } from './text.js';
import { UnreadCells } from './unread-cells.js';

const batchSize = 2000;
const sampleSize = 4096; // octets looked at before the first row is read

/** Throws `config` when columns are named although there is no header to find them in. */
export function createCsvSource(options: CsvSourceOptions): Source {
  if (
    options.header === false &&
    Object.values(options.columns ?? {}).some((column) => column !== undefined)
  ) {
    throw new RollcallError('config', `source ${options.name}: columns are named, but header is false`);
  }
  return { read: (context) => new Reading(options, context).run() };
}

/** A file as a stream that fails at its end when the file was changed meanwhile. */
export async function openCsvFile(path: string): Promise<Readable> {
  let file: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe waits for a writer for ever, and with it a thread.
    file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!(await file.stat()).isFile()) throw new Error('it is not a regular file');
  } catch (cause) {
    await file?.close();
    throw new RollcallError('source', `${path} cannot be read: ${messageOf(cause)}`, { cause });
  }
  return Readable.from(unchanged(file, path), { objectMode: false });
}

async function* unchanged(file: FileHandle, path: string): AsyncGenerator<Buffer, void, void> {
  try {
    const before = await file.stat({ bigint: true });
    yield* file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>;
    const after = await file.stat({ bigint: true });
    if (before.size === after.size && before.mtimeNs === after.mtimeNs) return;
    throw new RollcallError('input', `${path} was changed while it was read`, {
      hint: 'Write the list under another name, and rename it when it is whole.',
    });
  } finally {
    await file.close();
  }
}

/** One read: the tallies that end up in its report. */
class Reading {
  readonly #options: CsvSourceOptions;
  readonly #context: ReadContext;
  #rules: RowRules | undefined;
  #rows = 0;
  #bad = 0;
  #entries = 0;
  #placeholders = 0;
  readonly #lastRow = new LastRow();
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
    const start = await firstBytes(chunks);
    if (start.length === 0) throw new RollcallError('input', `${label}: the list is empty`);
    refuseNonList(start, label);
    const encoding = encodingOf(start, this.#options.encoding);
    const check = new TextCheck(label, encoding.name);
    let text = check.push(start.subarray(encoding.skip));
    const sample = text.toString('utf8');
    refuseNonListText(sample, label);
    const prelude = readPrelude(sample, this.#options.delimiter);
    const parser = new RowParser(label, prelude.delimiter, prelude.lines);
    text = text.subarray(prelude.octets);
    let batch: Entry[] = [];
    for (;;) {
      this.#add(parser.push(text), batch);
      if (batch.length >= batchSize) {
        yield batch;
        batch = [];
      }
      const next = await chunks.next();
      this.#context.signal.throwIfAborted();
      if (next.done === true) break;
      text = check.push(next.value);
    }
    this.#add(parser.push(check.end()), batch);
    this.#add(parser.end(), batch);
    if (batch.length > 0) yield batch;
    return this.#report(check.endsWithBreak);
  }

  #add(rows: Rows, batch: Entry[]): void {
    for (let index = 0; index < rows.cells.length; index += 1) {
      const cells = rows.cells[index] ?? [];
      const line = rows.lines[index] ?? 0;
      if (this.#rules === undefined) {
        const { columns, isHeader } = this.#firstRow(cells);
        const { separator, respectDisabled } = this.#options;
        this.#rules = { columns, separator, respectDisabled };
        if (columns !== undefined) this.#unread = new UnreadCells(columns);
        if (isHeader && columns === undefined)
          this.#tell(line, ['taken for a header, but no name in it is known']);
        if (isHeader) continue;
      }
      this.#addRow(cells, line, this.#rules, batch);
    }
    this.#context.progress(this.#rows);
  }

  #addRow(cells: readonly string[], line: number, rules: RowRules, batch: Entry[]): void {
    const row = readRow(cells, line, rules);
    if (row.blank) return;
    this.#rows += 1;
    if (row.entry === undefined) this.#bad += 1;
    else batch.push(row.entry);
    if (row.entry !== undefined) this.#entries += 1;
    if (row.placeholder) this.#placeholders += 1;
    this.#lastRow.see(row);
    this.#tell(line, row.problems);
    if (this.#unread !== undefined) this.#tell(line, this.#unread.look(cells, line, row.entry));
  }

  #tell(line: number, reasons: readonly string[]): void {
    for (const reason of reasons) this.#context.problem({ where: `line ${String(line)}`, reason });
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
    const columns = readHeader(cells, configured, label);
    if (columns === undefined && header === true) {
      const names = cells.map((cell) => `"${cell.trim()}"`).join(', ');
      throw new RollcallError('input', `${label}: no column with addresses among ${names}`, {
        hint: 'Name it: columns.address in the configuration of the source.',
      });
    }
    return { columns, isHeader: true };
  }

  #report(endsWithBreak: boolean): ReadReport {
    const { label, maxBadPercent } = this.#options;
    if (this.#entries === 0)
      throw new RollcallError('input', `${label}: there is no usable address in the list`);
    const bad = `${String(this.#bad)} of ${String(this.#rows)} rows have no usable address`;
    const isOver = (percent: number): boolean => this.#bad * 100 > this.#rows * percent;
    if (isOver(Math.max(maxBadPercent, 50))) {
      throw new RollcallError('input', `${label}: ${bad}: this is not a list of addresses`, {
        hint: 'Mend the list, or name its columns in the configuration of the source.',
      });
    }
    const reasons: string[] = [];
    if (isOver(maxBadPercent))
      reasons.push(`${bad}, more than the ${String(maxBadPercent)} % of maxBadPercent`);
    if (!endsWithBreak) reasons.push(...this.#lastRow.doubts(this.#rows));
    if (this.#placeholders > 0) {
      reasons.push(`${String(this.#placeholders)} rows hold the name of a type instead of addresses`);
    }
    reasons.push(...(this.#unread?.doubts() ?? []));
    return { complete: reasons.length === 0, reasons, description: this.#describe() };
  }

  #describe(): string {
    const columns = this.#rules?.columns;
    const names = (indexes: readonly number[]): string =>
      indexes.map((index) => columns?.names[index] ?? '').join(', ');
    const rows = `${this.#options.label}: ${String(this.#rows)} rows`;
    if (columns === undefined) return `${rows}, addresses from every cell`;
    const address = columns.address.length === 0 ? [] : [`addresses from ${names(columns.address)}`];
    const aliases =
      columns.aliases.length === 0 ? 'no column of aliases' : `aliases from ${names(columns.aliases)}`;
    return [rows, ...address, aliases].join(', ');
  }
}

/** Enough bytes to see what the list is; all of a short one. */
async function firstBytes(chunks: AsyncIterator<Buffer, undefined>): Promise<Buffer> {
  const found: Buffer[] = [];
  for (let size = 0; size < sampleSize;) {
    const next = await chunks.next();
    if (next.done === true) break;
    found.push(next.value);
    size += next.value.length;
  }
  return found.length === 1 ? (found[0] ?? Buffer.alloc(0)) : Buffer.concat(found);
}

function holdsAddress(cells: readonly string[]): boolean {
  const found = newFindings();
  for (const cell of cells) readCell(cell, undefined, true, found);
  return found.addresses.length > 0;
}
