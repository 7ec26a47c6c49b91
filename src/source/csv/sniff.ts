/**
 * What the first bytes of a list give away: that it is no list at all, its encoding, its delimiter.
 *
 * Refuses, with what to do instead: archives and spreadsheets, PDF, web pages, JSON, and text in UTF-16 without its mark.
 */
import { RollcallError } from '../../errors.js';
import type { CsvEncoding } from './options.js';

export interface Encoding {
  readonly name: CsvEncoding | 'utf-16be';
  /** Octets of the byte order mark. */
  readonly skip: number;
}

const notLists: readonly (readonly [magic: string, what: string, hint: string])[] = [
  ['504b0304', 'a zip archive or a spreadsheet (.xlsx, .ods)', 'Save it as CSV (UTF-8).'],
  ['504b0506', 'a zip archive', 'Save it as CSV (UTF-8).'],
  ['d0cf11e0a1b11ae1', 'an old spreadsheet (.xls)', 'Save it as CSV (UTF-8).'],
  ['255044462d', 'a PDF document', 'Export the list as CSV (UTF-8).'],
  ['1f8b', 'compressed (gzip)', 'Uncompress it first.'],
  ['28b52ffd', 'compressed (zstd)', 'Uncompress it first.'],
  ['fd377a585a00', 'compressed (xz)', 'Uncompress it first.'],
  ['425a68', 'compressed (bzip2)', 'Uncompress it first.'],
  ['89504e47', 'an image', 'Export the list as CSV (UTF-8).'],
  ['7b5c727466', 'a rich text document', 'Save it as CSV (UTF-8).'],
  ['53514c69746520666f726d6174', 'a database', 'Export the list as CSV (UTF-8).'],
];

/** Throws `input` when the bytes are those of something else than a list. */
export function refuseNonList(start: Buffer, label: string): void {
  const hex = start.toString('hex', 0, 16);
  const known = notLists.find(([magic]) => hex.startsWith(magic));
  if (known !== undefined) throw notAList(label, known[1], known[2]);
}

/** The same for text: `text` is the start of the list, decoded. */
export function refuseNonListText(text: string, label: string): void {
  const start = text.slice(0, 1000).trimStart().toLowerCase();
  if (/^(?:<!doctype|<html|<head|<body|<script)/.test(start)) {
    throw notAList(label, 'a web page', 'It may be a login or an error page: fetch the list itself.');
  }
  if (/^<\?xml|^<[a-z]+[\s>][^@]*$/.test(start))
    throw notAList(label, 'XML', 'Export the list as CSV (UTF-8).');
  if (/^(?:\{\s*"|\[\s*[{"[])/.test(start)) throw notAList(label, 'JSON', 'Export the list as CSV (UTF-8).');
}

/** The encoding: that of the byte order mark, else the one that was configured. */
export function encodingOf(start: Buffer, configured: CsvEncoding): Encoding {
  const hex = start.toString('hex', 0, 3);
  if (hex === 'efbbbf') return { name: 'utf-8', skip: 3 };
  if (hex.startsWith('fffe')) return { name: 'utf-16le', skip: 2 };
  if (hex.startsWith('feff')) return { name: 'utf-16be', skip: 2 };
  return { name: configured, skip: 0 };
}

const delimiters = [',', ';', '\t', '|'] as const;

export interface Prelude {
  /** Lines before the header or the first row that are no part of the list. */
  readonly lines: number;
  readonly octets: number;
  readonly delimiter: string;
}

/**
 * The delimiter: the one that `sep=` names, else the one that stands most often in the first line outside quotes, else
 * in the lines after it, else a comma. `sep=` (Excel) and `#TYPE` (PowerShell) lines are no rows.
 */
export function readPrelude(text: string, configured: string | undefined): Prelude {
  const special = /^(?:sep=(.)|#TYPE[^\r\n]*)(?:\r\n|\n|\r)/i.exec(text);
  const body = text.slice(special?.[0].length ?? 0);
  const named = special?.[1];
  const delimiter = configured ?? named ?? guessDelimiter(body);
  return { lines: special === null ? 0 : 1, octets: Buffer.byteLength(special?.[0] ?? ''), delimiter };
}

function guessDelimiter(text: string): string {
  const lines = text.replace(/"[^"]*"/g, '').split(/\r\n|\n|\r/);
  const first = lines.findIndex((line) => line.trim() !== '');
  return most(lines[first] ?? '') ?? most(lines.slice(first + 1, first + 20).join('')) ?? ',';
}

/** The delimiter that stands most often in the text; undefined when none does. */
function most(text: string): string | undefined {
  const counts = delimiters.map((delimiter) => text.split(delimiter).length - 1);
  const highest = Math.max(...counts);
  return highest === 0 ? undefined : delimiters[counts.indexOf(highest)];
}

function notAList(label: string, what: string, hint: string): RollcallError {
  return new RollcallError('input', `${label}: this is not a CSV list but ${what}`, { hint });
}
