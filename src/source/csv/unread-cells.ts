/**
 * Watches the cells that no address is read from, for addresses that are missed: a column under a name that nobody knows, and
 * rows that a stray quote has swallowed into one cell.
 *
 * Promises: one look for an `@` at each such cell, and a bounded number of longer ones for each column. Takes nothing from
 * them: they end in a complaint, and in a list that is not complete.
 */
import type { Entry } from '../source.js';
import { newFindings } from '../written-address.js';
import { readCell } from './cell.js';
import type { Columns } from './header.js';

const looksForEach = 1000; // cells with an `@` that are no address: handles, remarks

export class UnreadCells {
  readonly #columns: Columns;
  /** How many more cells of a column are looked at. */
  readonly #looks: Map<number, number>;
  readonly #missed: string[] = [];
  #swallows = 0;
  #firstSwallow = '';

  constructor(columns: Columns) {
    this.#columns = columns;
    this.#looks = new Map(columns.missed.map((index) => [index, looksForEach]));
  }

  /** What there is to complain about the row; `entry` is what was read from its other cells. */
  look(cells: readonly string[], line: number, entry: Entry | undefined): string[] {
    const complaints: string[] = [];
    for (const index of this.#columns.unread) {
      if (index >= cells.length) break;
      const cell = cells[index];
      if (cell?.includes('@') !== true) continue;
      const complaint = /[\r\n]/.test(cell)
        ? this.#swallowed(index, line)
        : this.#missedIn(index, cell, entry);
      if (complaint !== undefined) complaints.push(complaint);
    }
    return complaints;
  }

  /** Why addresses may be missing. */
  doubts(): string[] {
    if (this.#swallows === 0) return this.#missed;
    const more = this.#swallows === 1 ? '' : ` (and ${String(this.#swallows - 1)} more)`;
    return [...this.#missed, `${this.#firstSwallow}${more}`];
  }

  #swallowed(index: number, line: number): string {
    const complaint = `a cell of ${this.#nameOf(index)} has line breaks and an @ in it: a stray quote may have swallowed rows`;
    this.#swallows += 1;
    if (this.#swallows === 1) this.#firstSwallow = `line ${String(line)}: ${complaint}`;
    return complaint;
  }

  #missedIn(index: number, cell: string, entry: Entry | undefined): string | undefined {
    const left = this.#looks.get(index) ?? 0;
    if (left === 0) return undefined;
    this.#looks.set(index, left - 1);
    const found = newFindings();
    readCell(cell, undefined, true, found);
    if (found.addresses.every((address) => holds(entry, address))) return undefined;
    this.#looks.delete(index);
    const what = `${this.#nameOf(index)} holds addresses but is not used: name it in columns.aliases`;
    const complaint = `${what}, or name the columns that count in columns.address`;
    this.#missed.push(complaint);
    return complaint;
  }

  #nameOf(index: number): string {
    const name = this.#columns.names[index] ?? '';
    return name === '' ? `column ${String(index + 1)}` : `column "${name}"`;
  }
}

/** Repeating an address that was read, as a display name does, misses nothing. */
function holds(entry: Entry | undefined, address: string): boolean {
  const text = address.toLowerCase();
  return entry?.addresses.some(({ value }) => value.toLowerCase() === text) === true;
}
