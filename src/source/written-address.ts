/**
 * Addresses as people and programs write them into directories and lists: plain, several of them, `Name <address>`,
 * `mailto:`, `SMTP:` and its relatives. The same reading for every source.
 *
 * Promises: linear in the length of the text; each address as it is spelled; whatever holds an `@` and gives no address is
 * refused with the reason, never dropped, but for addresses of other systems (`sip:`, `X500:`, `SPO:`). Refuses whole domains
 * (`@example.com`) which would accept everything, takes a pattern as it is written, and never guesses which words before an `@` belong to an address.
 */
import { parseInternal, parseMailbox } from '../address/mailbox.js';

export interface Findings {
  readonly addresses: string[];
  /** Why parts of the text were not used. */
  readonly refused: string[];
  /** The address marked `SMTP:` in capitals, as Exchange marks the primary one. */
  primary: string | undefined;
  /** The text is what a program writes when it could not write the value. */
  placeholder: boolean;
  /** The text holds a pattern or a whole domain: whoever wrote it wants more accepted than any list says. */
  wildcard: boolean;
  /** An address was left out because nobody knows which one it is: it has bytes of an unknown encoding. */
  unknown: boolean;
}

export interface ReadingRules {
  /** Text without an `@` is no complaint: it is a name, or a remark. */
  readonly lenient: boolean;
  /**
   * `john smith@example.com`: `keep` takes it whole, as a local part with a space that was not quoted; `refuse` takes
   * nothing of it, because it may as well be a name and an address.
   */
  readonly spaces: 'keep' | 'refuse';
}

/** Nearly every value: not worth a parser. Whatever is odd goes the long way. */
const plain = /^[\w.+'-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,63}$/;

export function isPlainAddress(text: string): boolean {
  return plain.test(text);
}

export function newFindings(): Findings {
  return {
    addresses: [],
    refused: [],
    primary: undefined,
    placeholder: false,
    wildcard: false,
    unknown: false,
  };
}

const asOneValue: ReadingRules = { lenient: false, spaces: 'keep' };

/** Reads a value that is meant to be one address, but may hold several between `; , |`. */
export function readValue(value: string, into: Findings): void {
  if (plain.test(value)) {
    into.addresses.push(value);
    return;
  }
  const text = strip(value);
  const { isMail, address } = typed(text);
  if (!isMail || address === '') return;
  if (plain.test(address)) into.addresses.push(address);
  else if (parseMailbox(address).ok) readOne(text, asOneValue, into);
  else readParts(text, ';,|\t\r\n', asOneValue, into);
}

/** Reads parts between any of `separators`, none of which counts inside quotes and angle brackets. */
export function readParts(text: string, separators: string, rules: ReadingRules, into: Findings): void {
  const parts = partsOf(text, separators);
  // In `Doe, Ann <ann@example.com>` what has no `@` is a name.
  const lenient = rules.lenient || parts.some(({ bracketed }) => bracketed.length > 0);
  for (const part of parts) {
    if (part.bracketed.length > 0) {
      for (const one of part.bracketed) readOne(one, rules, into);
      readAround(part.outside, rules, into);
    } else if (part.text.includes('"')) readOne(part.text, { ...rules, lenient }, into);
    else readWords(part.text, { ...rules, lenient }, into);
  }
}

/** Beside brackets: mostly a name, but `Ann <ann@example.com>+smtp:a@example.com` has an address there as well. */
function readAround(text: string, rules: ReadingRules, into: Findings): void {
  if (!text.includes('@')) return;
  for (const word of text.split(/\s+|\+(?=smtp:)/i))
    if (looksLikeAddress.test(word)) readOne(word, rules, into);
}

/** Reads what stands between two separators: words that are addresses each, unless some may be part of the next. */
export function readWords(part: string, rules: ReadingRules, into: Findings): void {
  const text = strip(part);
  const words = text.split(/\s+/);
  if (words.length === 1) readOne(text, rules, into);
  else if (!words.some((word, at) => mayBelongTo(word, words[at + 1])))
    for (const word of words) readOne(word, rules, into);
  else readSpaced(text, rules, into);
}

function mayBelongTo(word: string, next: string | undefined): boolean {
  return next?.includes('@') === true && !word.includes('@') && !word.endsWith(':');
}

function readSpaced(text: string, rules: ReadingRules, into: Findings): void {
  const { isMail, address } = typed(text);
  // `Tel:123 ann@example.com` is no address of another system; what a directory holds under another type is
  const isOther = rules.spaces === 'keep' || otherSystem.test(text) || !looksLikeAddress.test(text);
  if (!isMail && isOther) return;
  const isOne = address.indexOf('@') === address.lastIndexOf('@');
  if (isMail && rules.spaces === 'keep' && isOne && parseInternal(address).ok) into.addresses.push(address);
  else {
    const how = 'write Name <address>, or quotes around a local part with spaces';
    into.refused.push(`"${shorten(text)}" may be one address or a name and an address: ${how}`);
  }
}

const looksLikeAddress = /[^@\s]@[^@\s]+\.[^@\s]/;
const otherSystem = /^(?:x[45]00|sip|spo|eum|notes):/i;

const insteadOfWildcard =
  'list the addresses, or set patterns or catchAll of the domain; mail for nobody would be bounced to forged senders';

/** Reads what can be one address only. */
export function readOne(part: string, rules: ReadingRules, into: Findings): void {
  const { isMail, isPrimary, address: written } = typed(strip(part));
  const address = hasUnseen.test(written) ? written.replace(unseen, '') : written;
  if (!isMail || address === '') return;
  if (isPlaceholder(address) || (!rules.lenient && /^(?:\.{3}|…)$/.test(address))) {
    into.placeholder = true;
    into.refused.push(`"${shorten(address)}" stands where a program could not write the addresses`);
  } else if (/^\*?@[^@]*$/.test(address)) {
    into.wildcard = true;
    into.refused.push(
      `"${shorten(address)}" is a whole domain, which would accept everything: ${insteadOfWildcard}`,
    );
  } else if (address.includes('@') && parseMailbox(address).ok) {
    into.addresses.push(address);
    // RFC 5321 §4.1.2 allows it in a local part; more often somebody wants a pattern
    if (address.includes('*')) {
      into.wildcard = true;
      into.refused.push(`"${shorten(address)}" is taken as written, not as a pattern: ${insteadOfWildcard}`);
    }
    if (isPrimary) into.primary ??= address;
  } else if (!rules.lenient || address.includes('@')) {
    into.refused.push(`"${shorten(address)}" is not an address`);
  }
}

/** Takes `smtp:` and the like off; what has another type is an address of another system. */
function typed(text: string): { isMail: boolean; isPrimary: boolean; address: string } {
  const prefix = /^([A-Za-z0-9-]{1,20}):/.exec(text)?.[1];
  if (prefix === undefined) return { isMail: true, isPrimary: false, address: text };
  const isMail = /^(?:smtp|mailto|e?-?mail)$/i.test(prefix);
  const rest = text.slice(prefix.length + 1);
  // RFC 6068 §2: mailto:ann@example.com?subject=…
  const address = strip(/^mailto$/i.test(prefix) ? rest.replace(/\?.*$/s, '') : rest);
  return { isMail, isPrimary: prefix === 'SMTP', address };
}

/**
 * PowerShell writes the type of a collection instead of its values, or a few of them and dots ($FormatEnumerationLimit); Excel
 * takes what begins with `-` or `=` for a formula.
 */
export function isPlaceholder(text: string): boolean {
  return /^(?:(?:System|Microsoft)\.[A-Za-z.]+[[`A-Za-z0-9]|#NAME\?$|[^\s@]+@[^\s@]*(?:\.{3}|…)$)/.test(text);
}

/** Characters that nobody sees and no address has: soft hyphens, and what comes with text copied from a web page. */
const unseen = /[\u00ad\u200b\u200e\u200f\u2060\ufeff]/gu;
const hasUnseen = new RegExp(unseen.source, 'u');
/** What may stand around an address without a meaning: white space, the unseen, and a word processor's quotes. */
const around = /[\s\u00ad\u200b-\u200f\u2060\ufeff“”„‟«»‹›‘’‚]/u;

/** Takes off what stands around an address and is no part of it; and the pair of quotes or brackets that it is in. */
export function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && around.test(text.charAt(start))) start += 1;
  while (end > start && around.test(text.charAt(end - 1))) end -= 1;
  const bare = start === 0 && end === text.length ? text : text.slice(start, end);
  return wrapped.test(bare) ? strip(bare.slice(1, -1)) : bare;
}

/** In quotes, or in the brackets of a program's list: `"ann@example.com"`, `{SMTP:ann@example.com, smtp:a@example.com}`. */
const wrapped = /^(?:'[^']*@[^']*'|"[^"]*@[^"]*"|\[[^[\]]*@[^[\]]*\]|\{[^{}]*@[^{}]*\}|\([^()]*@[^()]*\))$/;

interface Part {
  readonly text: string;
  /** What stands in its angle brackets with an `@`. */
  readonly bracketed: readonly string[];
  /** What stands before, between and behind those, without quoted names. */
  readonly outside: string;
}

function partsOf(text: string, separators: string): Part[] {
  const parts: Part[] = [];
  let bracketed: string[] = [];
  let outside = '';
  let start = 0;
  let outsideFrom = 0;
  let opened = 0;
  let closing = '';
  const close = (end: number): void => {
    const part = strip(text.slice(start, end));
    if (part !== '') parts.push({ text: part, bracketed, outside: outside + text.slice(outsideFrom, end) });
    bracketed = [];
    outside = '';
    start = outsideFrom = end + 1;
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') at += 1;
    else if (closing !== '') {
      if (character !== closing) continue;
      const inside = text.slice(opened, at);
      if (closing === '>' && inside.includes('@')) bracketed.push(inside);
      outside += `${text.slice(outsideFrom, opened - 1)} `;
      outsideFrom = at + 1;
      closing = '';
    } else if (character === '"' || character === '<') {
      closing = character === '"' ? '"' : '>';
      opened = at + 1;
    } else if (separators.includes(character)) close(at);
  }
  close(text.length);
  return parts;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
