/**
 * One cell to addresses: where one ends and the next begins. What each of them is, written-address.ts knows.
 *
 * Promises: linear in the length of the cell. Cells are split at white space too, where every word is an address of its own.
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

const types = '(?:smtp|sip|x400|x500|spo|eum|mailto):';
const anySeparator = new RegExp(`[;,|\\t\\r\\n]+|[\\s+](?=${types})`, 'i');

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
  const rules: ReadingRules = { lenient, spaces: 'refuse' };
  if (/["<]/.test(text)) readParts(text, separator ?? ';,|\t\r\n', rules, into);
  else if (separator === undefined) readAny(text, rules, into);
  else for (const part of text.split(separator === ' ' ? /\s+/ : separator)) readOne(part, rules, into);
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
      readWords(part, rules, into);
    }
  }
}
