/**
 * One cell to addresses: where one ends and the next begins. What each of them is, written-address.ts knows.
 *
 * Promises: linear in the length of the cell. Cells are split at white space too, where every word is an address of its own,
 * and at bars between addresses: before an address, a bar is a part of it (RFC 5322 §3.2.3). An address with bytes of an
 * unknown encoding is refused.
 */
import {
  isPlaceholder,
  isPlainAddress,
  readOne,
  readParts,
  readWords,
  strip,
  type Findings,
  type ReadingRules,
} from '../written-address.js';
import { guessUnknown, hasUnknown } from './unknown-bytes.js';

const types = '(?:smtp|sip|x400|x500|spo|eum|mailto):';
const anySeparator = new RegExp(`[;,\\t\\r\\n]+|[\\s+](?=${types})`, 'i');

/** Adds what the cell holds. With `lenient`, text without an `@` is no complaint: it is a name in a list without header. */
export function readCell(
  cell: string,
  separator: string | undefined,
  lenient: boolean,
  into: Findings,
): void {
  if (isPlainAddress(cell)) {
    into.addresses.push(cell);
    return;
  }
  const text = strip(cell);
  if (text === '' || (lenient && !text.includes('@') && !isPlaceholder(text))) return;
  const from = into.addresses.length;
  const rules: ReadingRules = { lenient, spaces: 'refuse' };
  if (/["<]/.test(text)) readParts(text, separator ?? ';,|\t\r\n', rules, into);
  else if (separator === undefined) readAny(text, rules, into);
  else for (const part of text.split(separator === ' ' ? /\s+/ : separator)) readOne(part, rules, into);
  if (hasUnknown(text)) refuseUnknown(from, into);
}

function readAny(text: string, rules: ReadingRules, into: Findings): void {
  let within = '';
  for (const part of text.split(anySeparator)) {
    const other = /^x[45]00:/i.exec(part)?.[0];
    // X400 addresses hold semicolons (`X400:c=US;a= ;p=Org;`), and both hold spaces.
    const isRest = within !== '' && !part.includes('@') && /^[\w.]{1,8}=/.test(part);
    if (other !== undefined) within = other;
    else if (!isRest) {
      within = '';
      if (part.includes('|')) readBars(part, rules, into);
      else readWords(part, rules, into);
    }
  }
}

/** A bar after an address ends it; one before an address is its first character; one in between may be either. */
function readBars(text: string, rules: ReadingRules, into: Findings): void {
  const parts = text.split('|');
  const addresses = parts.filter((part) => part.includes('@'));
  const before = strip(parts[0] ?? '');
  if (addresses.length !== 1 || before.includes('@')) for (const part of parts) readWords(part, rules, into);
  else if (before === '' && parts.length === 2) readOne(text, rules, into);
  else {
    const how = 'write it in a cell of its own, without the bar';
    into.refused.push(`"${text.slice(0, 80)}" may be one address or a name and an address: ${how}`);
  }
}

function refuseUnknown(from: number, into: Findings): void {
  const found = into.addresses.splice(from);
  for (const address of found) {
    if (hasUnknown(address)) {
      const why = 'it has bytes of an unknown encoding: save the list as UTF-8, or set encoding';
      into.refused.push(`"${guessUnknown(address)}" is not used: ${why}`);
      into.unknown = true;
    } else into.addresses.push(address);
  }
}
