/**
 * Whether a list without a line break at its end was cut off there: nothing else gives away that `…@example.c` was longer.
 *
 * Promises: bounded memory; cheap for rows in the domain of the row before. Cannot see a cut that leaves a row like the others.
 */
import type { RowResult } from './row.js';

const maxDomains = 10_000;

export class LastRow {
  readonly #domains = new Set<string>();
  #before: string | undefined;
  #newDomain: string | undefined;
  #isWhole = true;

  /** Called with every row, in order. */
  see(row: RowResult): void {
    this.#isWhole = (row.entry !== undefined && row.problems.length === 0) || (row.empty && !row.ragged);
    this.#newDomain = undefined;
    const addresses = row.entry?.addresses ?? [];
    this.#seeDomain(addresses[0]?.value);
    if (addresses.length > 1) this.#seeDomain(addresses.at(-1)?.value);
  }

  /** Why the last of so many rows may be only the beginning of one. */
  doubts(rows: number): string[] {
    if (!this.#isWhole) return ['the last row is not whole and has no line break: the list may be cut off'];
    if (this.#newDomain === undefined || rows === 1) return [];
    const where = `the last row has no line break, and no other row has its domain ${this.#newDomain}`;
    return [`${where}: the list may be cut off (if it is whole, end it with a line break)`];
  }

  #seeDomain(address = ''): void {
    const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
    if (domain === this.#before) return;
    this.#before = domain;
    if (this.#domains.has(domain)) return;
    this.#newDomain = domain;
    // copied: as a piece of the text around it, it would keep all of that in memory
    if (this.#domains.size < maxDomains) this.#domains.add(Buffer.from(domain).toString());
  }
}
