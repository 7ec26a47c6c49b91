/**
 * The domain of a mailbox: one spelling for every way to write it.
 *
 * Promises: the result is a lower-case A-label name without a trailing dot, or a normalised address literal; normalising
 * it again changes nothing; linear time, never throws. Underscores pass, because such names exist and receive mail.
 * Refuses (undefined): whatever is not a name of RFC 5321 §4.1.2 otherwise, names that are really IPv4 numbers, percent
 * signs and all that url.domainToASCII would quietly decode or cut off.
 */

import { isIPv4, isIPv6 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';

const maxName = 253; // octets, RFC 1035 §2.3.4 without the length octets
const maxLabel = 63; // octets, RFC 1035 §2.3.4
const maxText = 1000; // characters looked at, in any spelling

const [hyphen, dot, zero, nine] = [0x2d, 0x2e, 0x30, 0x39];

const plain = 1;
const upper = 2;
/** What each ASCII code is in a label: 0 not allowed, `plain`, or `upper`. */
const kinds = new Uint8Array(128);
for (const char of 'abcdefghijklmnopqrstuvwxyz0123456789-_') kinds[char.charCodeAt(0)] = plain;
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ') kinds[char.charCodeAt(0)] = upper;

/** WHATWG URL, "ends in a number": such a name is an IPv4 address in disguise. */
const numeric = /^(?:\d+|0x[\da-f]*)$/i;

/**
 * The one spelling of a domain or address literal, or undefined when `text` is neither. U-labels become A-labels by
 * UTS #46, whose three other full stops (U+3002, U+FF0E, U+FF61) separate labels too.
 */
export function normaliseDomain(text: string): string | undefined {
  if (text.length === 0 || text.length > maxText) return undefined;
  return asciiDomain(text) ?? (text.startsWith('[') ? literal(text) : internationalDomain(text));
}

/** A domain as people read it: U-labels, when they lead back to the same domain; otherwise as it is. */
export function displayDomain(domain: string): string {
  if (!domain.includes('xn--')) return domain;
  const shown = domainToUnicode(domain);
  return normaliseDomain(shown) === domain ? shown : domain;
}

/** A plain ASCII name, normalised without a call or a copy when it is lower-case already: the hot path. */
function asciiDomain(text: string): string | undefined {
  const end = text.charCodeAt(text.length - 1) === dot ? text.length - 1 : text.length;
  if (end === 0 || end > maxName) return undefined;
  let seen = 0;
  let start = 0;
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === dot) {
      if (!isLabel(text, start, at)) return undefined;
      start = at + 1;
      continue;
    }
    const kind = kinds[code];
    if (kind === undefined || kind === 0) return undefined;
    seen |= kind;
  }
  if (!isLabel(text, start, end) || isNumeric(text, start, end)) return undefined;
  const name = end === text.length ? text : text.slice(0, end);
  return (seen & upper) === 0 ? name : name.toLowerCase();
}

/** RFC 5321 §4.1.2 sub-domain: not empty, no hyphen at either end. */
function isLabel(text: string, start: number, end: number): boolean {
  const length = end - start;
  return (
    length > 0 &&
    length <= maxLabel &&
    text.charCodeAt(start) !== hyphen &&
    text.charCodeAt(end - 1) !== hyphen
  );
}

function isNumeric(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start);
  return first >= zero && first <= nine && numeric.test(text.slice(start, end));
}

/** A name with U-labels. The result is scanned again: UTS #46 as URLs use it lets parentheses and the like through. */
function internationalDomain(spelling: string): string | undefined {
  // Unicode 15.1 made ẞ a capital ß where it had been `ss`: one key, whichever Unicode this Node knows.
  const text = spelling.normalize('NFC').replaceAll('ẞ', 'ß');
  let beyondAscii = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) beyondAscii = true;
    // domainToASCII decodes `%`, cuts at `/?#\`, and drops tabs: none of them may reach it.
    else if (code !== dot && kinds[code] === 0) return undefined;
  }
  return beyondAscii ? asciiDomain(domainToASCII(text)) : undefined;
}

/** RFC 5321 §4.1.3: `[192.0.2.1]` or `[IPv6:2001:db8::1]`. No general literal is standardised, so none is known. */
function literal(text: string): string | undefined {
  if (!text.endsWith(']')) return undefined;
  const inner = text.slice(1, -1);
  if (isIPv4(inner)) return text;
  if (inner.slice(0, 5).toLowerCase() !== 'ipv6:') return undefined;
  const address = inner.slice(5);
  // isIPv6 takes a zone (`fe80::1%eth0`), which means nothing to another host.
  if (address.includes('%') || !isIPv6(address)) return undefined;
  return `[IPv6:${domainToASCII(`[${address}]`).slice(1, -1)}]`;
}
