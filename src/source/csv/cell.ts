/**
 * One cell to addresses: a plain address, several of them, `Name <address>`, `mailto:`, `SMTP:` and its relatives.
 *
 * Promises: linear in the length of the cell; each address as the list spells it. Refuses, with the reason: what is no
 * address, and whole domains (`@example.com`), which would accept everything.
 */
import { parseMailbox } from '../../address/mailbox.js';

export interface CellFindings {
  readonly addresses: string[];
  /** Why parts of the cell were not used. */
  readonly refused: string[];
  /** The address marked `SMTP:` in capitals, as Exchange marks the primary one. */
  primary: string | undefined;
  /** The cell is what a program writes when it could not write the value. */
  placeholder: boolean;
}

/** Nearly every cell: not worth a parser. Whatever is odd goes the long way. */
const plain = /^[\w.+'-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,63}$/;

export function isPlainAddress(text: string): boolean {
  return plain.test(text);
}

export function newFindings(): CellFindings {
  return { addresses: [], refused: [], primary: undefined, placeholder: false };
}

/**
 * Adds what the cell holds. With `lenient`, text without an `@` is no complaint: it is a name in a list without header.
 */
export function readCell(
  cell: string,
  separator: string | undefined,
  lenient: boolean,
  into: CellFindings,
): void {
  if (plain.test(cell)) {
    into.addresses.push(cell);
    return;
  }
  const text = cell.trim();
  if (text === '' || (lenient && !text.includes('@') && !isPlaceholder(text))) return;
  for (const part of split(text, separator)) readPart(part, lenient, into);
}

function readPart(part: string, lenient: boolean, into: CellFindings): void {
  const prefix = /^([A-Za-z0-9]{2,10}):/.exec(part)?.[1];
  const isMail = prefix === undefined || /^(?:smtp|mailto)$/i.test(prefix);
  if (!isMail) return; // sip:, X500:, SPO: ... are addresses of other systems
  const address = part.slice(prefix === undefined ? 0 : prefix.length + 1).trim();
  if (address === '') return;
  if (isPlaceholder(address)) {
    into.placeholder = true;
    into.refused.push(`"${shorten(address)}" stands where a program could not write the addresses`);
  } else if (/^\*?@/.test(address)) {
    into.refused.push(
      `"${shorten(address)}" is a whole domain, which would accept everything: list the addresses`,
    );
  } else if (address.includes('@') && parseMailbox(address).ok) {
    into.addresses.push(address);
    if (prefix === 'SMTP') into.primary ??= address;
  } else if (!lenient || address.includes('@')) {
    into.refused.push(`"${shorten(address)}" is not an address`);
  }
}

/** PowerShell writes the type of a collection instead of its values. */
function isPlaceholder(text: string): boolean {
  return /^(?:System|Microsoft)\.[A-Za-z.]+[[`A-Za-z0-9]/.test(text);
}

const typed = '(?:smtp|sip|x400|x500|spo|eum|mailto):';
const anySeparator = new RegExp(`[;,|\\s]+|\\+(?=${typed})`, 'i');
/** X500 names hold spaces. */
const separatorBesideX500 = new RegExp(`[;,|]+|[\\s+](?=${typed})`, 'i');

function split(text: string, separator: string | undefined): string[] {
  if (/["<]/.test(text)) return splitCarefully(text, separator ?? ';,|').flatMap(addressIn);
  if (separator === ' ') return text.split(/\s+/);
  if (separator !== undefined) return text.split(separator).map((part) => part.trim());
  return text.split(/x[45]00:/i.test(text) ? separatorBesideX500 : anySeparator);
}

/** Splits outside quotes and angle brackets. */
function splitCarefully(text: string, separators: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let closing = '';
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') at += 1;
    else if (closing !== '') closing = character === closing ? '' : closing;
    else if (character === '"') closing = '"';
    else if (character === '<') closing = '>';
    else if (separators.includes(character)) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}

/** `Name <address>` to the address; a quoted local part stays whole; anything else falls apart at white space. */
function addressIn(part: string): string[] {
  const text = part.trim();
  const open = text.lastIndexOf('<');
  if (open !== -1 && text.endsWith('>')) return [text.slice(open + 1, -1).trim()];
  return text.includes('"') ? [text] : text.split(/\s+/);
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
