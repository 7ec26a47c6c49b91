/**
 * Lists that are no CSV: one address a line, and Postfix's lookup tables (postmap(1), "INPUT FILE FORMAT").
 *
 * Promises: the address at the beginning of every line, whatever other lines hold; comments are no rows. What follows an
 * address is the value of a Postfix table, which does not matter for recipients; but an address in it is read all the same,
 * because one too many is harmless and one too few a wrong 550. Refuses lines beyond any address.
 */
import { RollcallError } from '../../errors.js';
import type { RowReader, Rows } from './row-parser.js';

export type LineListKind = 'one address a line' | 'a Postfix lookup table';

/** A quoted local part, or a word without delimiters; then the domain; then the value, which holds no address. */
const keyed = /^(?:"(?:\\.|[^"\\])*"|\|?[^\s"#,;|<>]*)@[^\s,;|<>"@]+(?:[ \t]+([^@,;|]*))?$/;

/** What kind of line list the text is the start of, or undefined when it is none. */
export function lineListOf(text: string, isWhole: boolean): LineListKind | undefined {
  const lines = text.split(/\r\n|\n|\r/);
  if (!isWhole) lines.pop();
  let entries = 0;
  let values = 0;
  for (const line of lines) {
    if (isIgnored(line) || (/^\s/.test(line) && !line.includes('@'))) continue;
    const match = keyed.exec(line.trim());
    if (match === null) return undefined;
    entries += 1;
    if (match[1] !== undefined) values += 1;
  }
  if (entries === 0) return undefined;
  // Name and address side by side are rather a table that someone copied: the parser of rows complains of each.
  return values === 0 ? 'one address a line' : 'a Postfix lookup table';
}

function isIgnored(line: string): boolean {
  return /^\s*(?:#|$)/.test(line);
}

const maxLine = 64 * 1024; // characters

export class LineListParser implements RowReader {
  readonly #label: string;
  #pending = '';
  #line: number;
  #comments = 0;

  constructor(label: string, linesBefore: number) {
    this.#label = label;
    this.#line = linesBefore + 1;
  }

  get comments(): number {
    return this.#comments;
  }

  push(chunk: string): Rows {
    return this.#parse(this.#pending + chunk, false);
  }

  end(): Rows {
    return this.#parse(this.#pending, true);
  }

  #parse(text: string, isEnd: boolean): Rows {
    const cells: string[][] = [];
    const lines: number[] = [];
    let at = 0;
    let carriage = -2; // not looked for yet
    while (at < text.length) {
      const feed = text.indexOf('\n', at);
      if (carriage !== -1 && carriage < at) carriage = text.indexOf('\r', at);
      const end = earliest(feed, carriage, text.length);
      // a line feed may follow a carriage return at the end
      if (!isEnd && (end === text.length || (end === text.length - 1 && text[end] === '\r'))) break;
      const row = this.#row(text.slice(at, end));
      if (row !== undefined) {
        cells.push(row);
        lines.push(this.#line);
      }
      this.#line += 1;
      at = end + (text.startsWith('\r\n', end) ? 2 : 1);
    }
    this.#pending = text.slice(at);
    if (this.#pending.length > maxLine) {
      const where = `${this.#label}, line ${String(this.#line)}`;
      throw new RollcallError('input', `${where}: the line that begins here does not end`);
    }
    return { cells, lines };
  }

  #row(line: string): string[] | undefined {
    if (isIgnored(line)) {
      if (line.includes('#')) this.#comments += 1;
      return undefined;
    }
    const text = line.trim();
    const key = /^(?:"(?:\\.|[^"\\])*")?\S*/.exec(text)?.[0] ?? text;
    if (!text.includes('@')) return /^\s/.test(line) ? undefined : [text]; // it goes on with the line before
    const value = text.slice(key.length);
    if (!value.includes('@')) return [key];
    return key.includes('@') ? [key, value.trim()] : [text];
  }
}

function earliest(one: number, other: number, otherwise: number): number {
  if (one === -1) return other === -1 ? otherwise : other;
  return other === -1 ? one : Math.min(one, other);
}
