/**
 * What the first bytes of a list give away: that it is no list at all, and its encoding.
 *
 * Refuses, with what to do instead: archives and spreadsheets, PDF, web pages, JSON, XML, LDIF, logs, mailboxes, tables of local
 * aliases, and what PowerShell shows on a screen, where long values are cut off.
 */
import { RollcallError } from '../../errors.js';
import type { CsvEncoding } from './options.js';

export interface Encoding {
  readonly name: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252';
  /** Octets of the byte order mark. */
  readonly skip: number;
  /** Nobody has said that it is UTF-8: bytes that are not are let through, and marked. */
  readonly lenient: boolean;
}

const notLists: readonly (readonly [magic: string, what: string, hint: string])[] = [
  ['504b0304', 'a zip archive or a spreadsheet (.xlsx, .ods)', 'Save it as CSV (UTF-8).'],
  ['504b0506', 'a zip archive', 'Take the list out of it.'],
  ['504b0708', 'a zip archive', 'Take the list out of it.'],
  ['377abcaf271c', 'an archive (7z)', 'Take the list out of it.'],
  ['526172211a07', 'an archive (rar)', 'Take the list out of it.'],
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

const csvHint = 'Export the list as CSV (UTF-8).';
const screenHint = 'Long values are cut off on a screen. Use `Export-Csv -NoTypeInformation -Encoding UTF8`.';

const notListTexts: readonly (readonly [start: RegExp, what: string, hint: string])[] = [
  [
    /^(?:<!--[^]*?-->\s*)*<(?:!doctype html|html|head|body|script|title|meta|h\d|p|div|form|table|center|span|noscript)[\s>]/,
    'a web page',
    'It may be a login or an error page: fetch the list itself.',
  ],
  [/^<\?xml|^<!|^<[a-z]+(?:[\s>][^@]*|:[^]*)$/, 'XML', csvHint],
  [/^(?:\{\s*["}]|\[\s*[\]{"[])/, 'JSON', csvHint],
  [
    /^(?:version: *\d+\s+)?(?:#[^\n]*\n\s*)*dn::? /,
    'LDIF',
    'Make the directory a source of kind ldap, or export CSV.',
  ],
  [/^begin:vcard/, 'vCards', csvHint],
  [/^%!ps/, 'PostScript', csvHint],
  [
    /^(?:<\d+>)?(?:[a-z]{3} [ \d]\d \d\d:\d\d:\d\d |\d{4}-\d\d-\d\dt\d\d:\d\d:\d\d[^\s,;]* \S|#software: )/,
    'a log',
    'It names who got mail, not who exists.',
  ],
  [
    /^(?:from \S+ +(?:mon|tue|wed|thu|fri|sat|sun) |(?:return-path|received|delivered-to|mime-version|message-id): )/,
    'a mail message or a mailbox',
    csvHint,
  ],
  [
    /^(?:#[^\n]*\n|[ \t\r]*\n)*(?!(?:e?-?mail|mailto|smtp):)[\w.+-]+:[ \t]+[^\n]*\n(?:#[^\n]*\n|[ \t\r]*\n)*(?!(?:e?-?mail|mailto|smtp):)[\w.+-]+:[ \t]+\S/,
    'a table of names and values (`sales: ann@example.com`), such as aliases(5)',
    'List the addresses as mail is sent to them, one a line.',
  ],
  [/^[^\n@]*\n *-{2,}(?: +-{2,})+ *\r?\n/, 'a table for the screen (Format-Table)', screenHint],
  [/^[a-z]\w* +: [^\n]*\n[a-z]\w* +: ?/, 'a listing for the screen (Format-List)', screenHint],
];

/** The same for text: `text` is the start of the list, decoded. */
export function refuseNonListText(text: string, label: string): void {
  const start = text.slice(0, 1000).trimStart().toLowerCase();
  const known = notListTexts.find(([pattern]) => pattern.test(start));
  if (known !== undefined) throw notAList(label, known[1], known[2]);
}

/** The encoding: that of the byte order mark, else the one that was configured, else the one it must be. */
export function encodingOf(start: Buffer, configured: CsvEncoding): Encoding {
  const hex = start.toString('hex', 0, 3);
  const lenient = configured === 'auto';
  if (hex === 'efbbbf') return { name: 'utf-8', skip: 3, lenient };
  if (hex.startsWith('fffe')) return { name: 'utf-16le', skip: 2, lenient };
  if (hex.startsWith('feff')) return { name: 'utf-16be', skip: 2, lenient };
  if (configured !== 'auto') return { name: configured, skip: 0, lenient };
  return { name: utf16(start) ?? 'utf-8', skip: 0, lenient };
}

/** UTF-16 without its mark: addresses and delimiters are ASCII, so every second byte of most of it is zero. */
function utf16(start: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  const zeros = [0, 0];
  const length = Math.min(start.length, 4096);
  for (let at = 0; at < length; at += 1) if (start[at] === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const many = length / 4;
  if (odd > many && even * 10 < odd) return 'utf-16le';
  return even > many && odd * 10 < even ? 'utf-16be' : undefined;
}

function notAList(label: string, what: string, hint: string): RollcallError {
  return new RollcallError('input', `${label}: this is not a CSV list but ${what}`, { hint });
}
