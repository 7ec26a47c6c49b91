/**
 * Rows and cells (RFC 4180 §2), chunk by chunk, with the true line of every row.
 *
 * Promises: rows in order, each with the line it begins on, however many line breaks stand inside its quotes; line breaks of
 * any kind, mixed; white space around quotes; rows of any number of cells; time and memory linear in the text, a row bounded.
 * Refuses quotes out of place and a row without end, with the line of that row. Empty lines are no rows.
 */
import { RollcallError } from '../../errors.js';

export interface Rows {
  readonly cells: readonly (readonly string[])[];
  /** The line that the row of the same index begins on, from 1. */
  readonly lines: readonly number[];
}

/** What makes rows of text: this parser, or that of lists without cells. */
export interface RowReader {
  /** The rows that are whole after this chunk. Throws `input`. */
  push(chunk: string): Rows;
  /** The rows that only the end made whole. Throws `input`. */
  end(): Rows;
}

const maxRow = 1024 * 1024; // characters: thousands of aliases; beyond it a quote was left open
const quoting = 'A cell with quotes in it is written in quotes, and each quote inside twice.';

export class RowParser implements RowReader {
  readonly #label: string;
  readonly #delimiter: string;
  #cells: string[][] = [];
  #lines: number[] = [];
  /** Cells of the row that is not whole yet. */
  #row: string[] = [];
  #rowSize = 0;
  /** Text from the beginning of the cell that is not whole yet. */
  #pending = '';
  /** Where in it the search for the closing quote goes on; 0 when it is not in quotes. */
  #resume = 0;
  /** Where the cell begins that is not whole yet, after a -1. */
  #stop = 0;
  /** The line that the next row begins on. */
  #line: number;
  /** Line breaks inside the cells of the row that is not whole yet. */
  #breaks = 0;

  constructor(label: string, delimiter: string, linesBefore: number) {
    this.#label = label;
    this.#delimiter = delimiter;
    this.#line = linesBefore + 1;
  }

  push(chunk: string): Rows {
    return this.#parse(chunk, false);
  }

  end(): Rows {
    return this.#parse('', true);
  }

  #parse(chunk: string, isEnd: boolean): Rows {
    const text = this.#pending === '' ? chunk : this.#pending + chunk;
    const isInRow = this.#row.length > 0 || this.#resume > 0;
    const first = isInRow ? this.#readCells(text, 0, isEnd) : 0;
    const stop = first === -1 ? this.#stop : this.#readRows(text, first, isEnd);
    this.#pending = text.slice(stop);
    if (this.#rowSize + this.#pending.length > maxRow) this.#refuseEndless();
    const rows = { cells: this.#cells, lines: this.#lines };
    this.#cells = [];
    this.#lines = [];
    return rows;
  }

  /** Reads rows from `from`; answers where the text begins that no row could be made of. */
  #readRows(text: string, from: number, isEnd: boolean): number {
    let at = from;
    let quote = text.indexOf('"', at);
    let carriage = text.indexOf('\r', at);
    while (at < text.length) {
      const feed = text.indexOf('\n', at);
      if (quote !== -1 && quote < at) quote = text.indexOf('"', at);
      if (carriage !== -1 && carriage < at) carriage = text.indexOf('\r', at);
      const isPlain =
        feed !== -1 &&
        (quote === -1 || quote > feed) &&
        (carriage === -1 || carriage > feed || carriage === feed - 1);
      if (!isPlain) {
        const next = this.#readCells(text, at, isEnd);
        if (next === -1) return this.#stop;
        at = next;
        continue;
      }
      if (feed - at > maxRow) this.#refuseEndless();
      const end = carriage === feed - 1 && carriage >= at ? carriage : feed;
      if (end > at) {
        this.#cells.push(text.slice(at, end).split(this.#delimiter));
        this.#lines.push(this.#line);
      }
      this.#line += 1;
      at = feed + 1;
    }
    return at;
  }

  /** Reads cells up to the end of the row; answers where the next row begins, or -1 when the text ends before. */
  #readCells(text: string, from: number, isEnd: boolean): number {
    let at = from;
    for (;;) {
      const end = this.#resume > 0 || this.#opensQuote(text, at) ? this.#quoted(text, at, isEnd) : -2;
      const close = end === -2 ? this.#bare(text, at, isEnd) : end;
      if (close === -1) {
        this.#stop = at;
        return -1;
      }
      this.#rowSize += close - at;
      if (this.#rowSize > maxRow) this.#refuseEndless();
      if (text.startsWith(this.#delimiter, close)) at = close + 1;
      else return this.#finishRow(text, close);
    }
  }

  #opensQuote(text: string, from: number): boolean {
    let at = from;
    while (text[at] === ' ' || (text[at] === '\t' && this.#delimiter !== '\t')) at += 1;
    return text[at] === '"';
  }

  /** Takes a cell without quotes; answers where it ends, or -1 when the text ends before. */
  #bare(text: string, from: number, isEnd: boolean): number {
    let at = from;
    const delimiter = this.#delimiter.charCodeAt(0);
    for (; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code === delimiter || code === 0x0a) break;
      if (code === 0x0d) {
        if (at + 1 === text.length && !isEnd) return -1; // a line feed may follow
        break;
      }
      if (code === 0x22)
        throw this.#refuse('the row that begins here has a quote in the middle of a cell', quoting);
    }
    if (at === text.length && !isEnd) return -1;
    this.#row.push(text.slice(from, at));
    return at;
  }

  /** Takes a cell in quotes; answers where it ends, or -1 when the text ends before. */
  #quoted(text: string, from: number, isEnd: boolean): number {
    const open = text.indexOf('"', from) + 1;
    let at = this.#resume > 0 ? this.#resume : open;
    for (;;) {
      at = text.indexOf('"', at);
      if (at === -1 && isEnd)
        throw this.#refuse('the row that begins here has a quote that is never closed', quoting);
      if (at === -1 || (at + 1 === text.length && !isEnd)) {
        this.#resume = (at === -1 ? text.length : at) - from;
        return -1;
      }
      if (text[at + 1] !== '"') break;
      at += 2;
    }
    let end = at + 1;
    while (text[end] === ' ' || (text[end] === '\t' && this.#delimiter !== '\t')) end += 1;
    const last = text[end];
    if (!isEnd && (last === undefined || (last === '\r' && end + 1 === text.length))) {
      this.#resume = at - from;
      return -1;
    }
    if (last !== undefined && last !== this.#delimiter && last !== '\n' && last !== '\r')
      throw this.#refuse('the row that begins here has text after a closing quote', quoting);
    this.#resume = 0;
    const inside = text.slice(open, at);
    if (/[\r\n]/.test(inside)) this.#breaks += inside.match(/\r\n|\r|\n/g)?.length ?? 0;
    this.#row.push(inside.includes('"') ? inside.replaceAll('""', '"') : inside);
    return end;
  }

  #finishRow(text: string, end: number): number {
    const isEmpty = this.#row.length === 1 && this.#rowSize === 0;
    if (!isEmpty) {
      this.#cells.push(this.#row);
      this.#lines.push(this.#line);
    }
    this.#line += 1 + this.#breaks;
    this.#row = [];
    this.#rowSize = 0;
    this.#breaks = 0;
    return Math.min(text.length, end + (text.startsWith('\r\n', end) ? 2 : 1));
  }

  #refuseEndless(): never {
    throw this.#refuse('the row that begins here does not end: is there a quote too many?', quoting);
  }

  #refuse(what: string, hint: string): RollcallError {
    return new RollcallError('input', `${this.#label}, line ${String(this.#line)}: ${what}`, { hint });
  }
}
