/**
 * One row to one entry.
 *
 * Promises: an entry only with at least one usable address; its id is the primary address unless a column says otherwise.
 * A row with more cells than the header has slipped (a comma too many): every address in it is taken, because one too many
 * is harmless and one too few a wrong 550, and nothing else in it is believed. A row with fewer is read as far as it goes.
 * An entry of a row with any complaint is doubtful.
 */
import type { Entry, EntryAddress } from '../source.js';
import { isPlainAddress, newFindings, type Findings } from '../written-address.js';
import { readCell } from './cell.js';
import { flagsOf, type Flags } from './flags.js';
import type { Columns } from './header.js';
import { guessUnknown } from './unknown-bytes.js';

export interface RowResult {
  /** Undefined when the row has no usable address. */
  readonly entry: Entry | undefined;
  /** Everything about the row that could not be used. */
  readonly problems: readonly string[];
  /** The row is empty: no entry, and no problem either. */
  readonly blank: boolean;
  readonly ragged: boolean;
  /** A cell holds what a program writes when it could not write the addresses. */
  readonly placeholder: boolean;
  /** A cell holds a pattern or a whole domain. */
  readonly wildcard: boolean;
  /** An address has bytes of an unknown encoding, and was left out. */
  readonly unknown: boolean;
  /** The cells of addresses are empty, though others are not. */
  readonly empty: boolean;
}

export interface RowRules {
  /** Undefined: there is no header that we understand, and every cell may hold addresses. */
  readonly columns: Columns | undefined;
  readonly separator: string | undefined;
  readonly respectDisabled: boolean;
  /** A list by position, without header: FOPE's has addresses of instant messengers in it (`alias/provider`). */
  readonly isPositional: boolean;
}

const none: readonly string[] = [];
const plainRow: RowResult = {
  entry: undefined,
  problems: none,
  blank: false,
  ragged: false,
  placeholder: false,
  wildcard: false,
  unknown: false,
  empty: false,
};
const blankRow: RowResult = { ...plainRow, blank: true };

export function readRow(cells: readonly string[], line: number, rules: RowRules): RowResult {
  const { columns } = rules;
  if (columns === undefined) return isBlank(cells) ? blankRow : anyCell(cells, line, rules, none);
  if (cells.length === columns.names.length) return byColumns(cells, line, columns, rules, none);
  if (isBlank(cells)) return blankRow;
  const counted = `${String(cells.length)} cells, but the header has ${String(columns.names.length)}`;
  if (cells.length < columns.names.length) return byColumns(cells, line, columns, rules, [counted]);
  if (isBlank(cells.slice(columns.names.length))) return byColumns(cells, line, columns, rules, none);
  return anyCell(cells, line, rules, [counted]);
}

function byColumns(
  cells: readonly string[],
  line: number,
  columns: Columns,
  rules: RowRules,
  ragged: readonly string[],
): RowResult {
  const simple = ragged.length === 0 ? simpleRow(cells, line, columns, rules) : undefined;
  if (simple !== undefined) return simple;
  const found = newFindings();
  const addresses: EntryAddress[] = [];
  for (const indexes of [columns.address, columns.aliases]) {
    for (const index of indexes)
      collect(cells[index] ?? '', columns.names[index] ?? '', rules, false, found, addresses);
  }
  const { nickname } = columns;
  if (nickname !== undefined)
    collect(cells[nickname] ?? '', columns.names[nickname] ?? '', rules, true, found, addresses);
  if (addresses.length === 0 && found.refused.length === 0 && isBlank(cells)) return blankRow;
  const primary = columns.address.length === 0 ? found.primary : undefined;
  return result(addresses, primary, line, [...ragged, ...found.refused], ragged.length > 0, found, {
    id: columns.id === undefined ? undefined : guessUnknown(cells[columns.id]?.trim() ?? ''),
    ...flagsOf(cells, columns, rules.respectDisabled),
  });
}

/** The row of one plain address and nothing in the other columns of ours: most of most lists. */
function simpleRow(
  cells: readonly string[],
  line: number,
  columns: Columns,
  rules: RowRules,
): RowResult | undefined {
  const [at, second] = columns.address;
  if (at === undefined || second !== undefined || columns.id !== undefined) return undefined;
  const value = cells[at] ?? '';
  if (!isPlainAddress(value)) return undefined;
  if (columns.nickname !== undefined && cells[columns.nickname]?.includes('@') === true) return undefined;
  const addresses: EntryAddress[] = [{ value, attribute: columns.names[at] ?? '' }];
  for (const index of columns.aliases) {
    const cell = cells[index] ?? '';
    if (cell !== '' && !addPlain(cell, columns.names[index] ?? '', rules.separator, addresses))
      return undefined;
  }
  const { kind, disabled, internalOnly } = flagsOf(cells, columns, rules.respectDisabled);
  return plainResult({
    id: value,
    kind,
    disabled,
    internalOnly,
    addresses,
    where: `line ${String(line)}`,
  });
}

/** Written out: copying objects field by field takes most of the time of such rows. */
function plainResult(entry: Entry): RowResult {
  return {
    entry,
    problems: none,
    blank: false,
    ragged: false,
    placeholder: false,
    wildcard: false,
    unknown: false,
    empty: false,
  };
}

/** Adds a cell of plain addresses, typed (`smtp:`) or not; false when there is more to it. */
function addPlain(
  cell: string,
  attribute: string,
  separator: string | undefined,
  addresses: EntryAddress[],
): boolean {
  const parts = isPlainAddress(cell) ? [cell] : cell.split(separator ?? (cell.includes(';') ? ';' : ','));
  for (const part of parts) {
    const value = smtp.test(part) ? part.slice(5) : part;
    if (!isPlainAddress(value)) {
      if (otherSystem.test(part)) continue;
      return false;
    }
    if (!addresses.some((known) => known.value === value)) addresses.push({ value, attribute });
    if (addresses.length > 20) return false; // the comparisons would grow with the square
  }
  return true;
}

const smtp = /^smtp:/i;
/** Those without separators in them; X.400 addresses have some. */
const otherSystem = /^(?:sip|spo|eum|x500):[^@]*$|^(?:sip|spo):[^ ]*$/i;

function anyCell(
  cells: readonly string[],
  line: number,
  rules: RowRules,
  ragged: readonly string[],
): RowResult {
  const [first = ''] = cells;
  if (cells.length === 1 && isPlainAddress(first)) {
    return plainResult({
      id: first,
      kind: 'other',
      disabled: false,
      internalOnly: false,
      addresses: [{ value: first, attribute: 'cell' }],
      where: `line ${String(line)}`,
    });
  }
  const found = newFindings();
  const addresses: EntryAddress[] = [];
  for (const cell of cells) {
    if (!rules.isPositional || !isMessenger(cell)) collect(cell, 'cell', rules, true, found, addresses);
  }
  return result(addresses, found.primary, line, [...ragged, ...found.refused], ragged.length > 0, found, {
    id: undefined,
    ...anonymous,
  });
}

const anonymous = { kind: 'other', disabled: false, internalOnly: false } as const;

/** `lukaa/msn`, as FOPE writes addresses of instant messengers. */
export function isMessenger(cell: string): boolean {
  return /^\s*[^\s/]+\/[A-Za-z][\w ]{1,30}$/.test(cell);
}

function collect(
  cell: string,
  attribute: string,
  rules: RowRules,
  lenient: boolean,
  found: Findings,
  addresses: EntryAddress[],
): void {
  const from = found.addresses.length;
  readCell(cell, rules.separator, lenient, found);
  for (const value of found.addresses.slice(from)) addresses.push({ value, attribute });
}

function result(
  found: readonly EntryAddress[],
  marked: string | undefined,
  line: number,
  complaints: readonly string[],
  ragged: boolean,
  { placeholder, wildcard, unknown }: Findings,
  rest: { id: string | undefined } & Flags,
): RowResult {
  const addresses = withoutRepeats(found);
  const [first] = addresses;
  const about = { ...plainRow, ragged, placeholder, wildcard, unknown };
  if (first === undefined) {
    const problems = complaints.length === 0 ? ['no address'] : complaints;
    return { ...about, problems, empty: complaints.length === 0 };
  }
  const id = rest.id === undefined || rest.id === '' ? (marked ?? first.value) : rest.id;
  const entry: Entry = {
    ...rest,
    id,
    addresses,
    where: `line ${String(line)}`,
    ...(complaints.length > 0 ? { doubtful: true } : {}),
  };
  return { ...about, entry, problems: complaints };
}

function withoutRepeats(addresses: readonly EntryAddress[]): readonly EntryAddress[] {
  if (addresses.length < 2) return addresses;
  const seen = new Set<string>();
  return addresses.filter(({ value }) => !seen.has(value) && seen.add(value));
}

function isBlank(cells: readonly string[]): boolean {
  return cells.every((cell) => cell.trim() === '');
}
