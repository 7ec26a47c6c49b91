/**
 * Mailboxes: text to local part and domain, and back.
 *
 * Promises: linear time, never throws, and `parseMailbox(formatMailbox(m))` gives `m`. Takes RFC 5321 §4.1.2 Mailbox with
 * the UTF-8 of RFC 6531 §3.3, angle brackets and source routes around it, and a trailing dot. Lenient where refusing would
 * be a wrong 550: dots anywhere in the local part, local parts past 64 octets, underscores in domains.
 * Refuses: controls and lone surrogates anywhere, an empty local part, and text too long to be an address. Does not trim:
 * white space around an address is the reader's to take off.
 */

import { normaliseDomain } from './domain.js';

export interface Mailbox {
  /** What the local part means: quotes and backslashes taken off, NFC, case kept. At most 256 octets, never empty. */
  readonly local: string;
  /** Lower-case A-label name without trailing dot, or `[192.0.2.1]`, or `[IPv6:2001:db8::1]`. */
  readonly domain: string;
}

export type AddressProblem = 'empty' | 'no-domain' | 'bad-local' | 'bad-domain' | 'bad-route' | 'too-long';

/** On failure, `domain` is what stands after the last `@`, normalised, when it can be salvaged. */
export type ParseResult =
  | { readonly ok: true; readonly mailbox: Mailbox }
  | { readonly ok: false; readonly problem: AddressProblem; readonly domain?: string };

const maxText = 1000; // characters: a quoted local part, U-labels and a route fit; nothing longer is looked at
const maxLocal = 256; // octets; RFC 5321 §4.5.3.1.1 says 64, but directories hold longer ones

/** RFC 5322 §3.2.3 atext, with the UTF8-non-ascii of RFC 6531 §3.3. */
const atext = "[\\w!#$%&'*+\\-/=?^`{|}~\\u{80}-\\u{10ffff}]";
const dotString = new RegExp(`^${atext}+(?:\\.${atext}+)*$`, 'u');
// No two alternatives of these begin alike, so matching is linear.
const quotedPair = /\\(.)/gsu; // RFC 5321 §4.1.2 quoted-pairSMTP
const quotedString = /"((?:[^"\\]|\\.)*)"/gsu;
const spelledLocal = new RegExp(`^(?:${atext}|\\.|(?<![^.])${quotedString.source}(?![^.]))+$`, 'su');
/** Controls (C0, DEL, C1) and lone surrogates. */
const unprintable = /[\p{Cc}\p{Cs}]/u;

/** 1 for each ASCII code that may stand outside quotes: atext, and the dot wherever it is. */
const plain = Uint8Array.from({ length: 128 }, (_, code) =>
  spelledLocal.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Parses an address as it is spelled in SMTP and in directories. */
export function parseMailbox(text: string): ParseResult {
  if (text.length > maxText) return { ok: false, problem: 'too-long' };
  const bare = text.startsWith('<') && text.endsWith('>') ? text.slice(1, -1) : text;
  return split(bare, bare.startsWith('@') ? routeEnd(bare) : 0, spelled);
}

/**
 * Parses an address in the unquoted form that Postfix sends to a policy server: all before the last `@` is the local
 * part as it is, be it spaces, quotes, or another `@`.
 */
export function parseInternal(text: string): ParseResult {
  if (text.length > maxText) return { ok: false, problem: 'too-long' };
  return split(text, 0, asItIs);
}

/** The RFC 5321 §4.1.2 spelling of a mailbox, quoted only where it must be. */
export function formatMailbox(mailbox: Mailbox): string {
  const { local, domain } = mailbox;
  return dotString.test(local) ? `${local}@${domain}` : `"${local.replace(/["\\]/g, '\\$&')}"@${domain}`;
}

type LocalReader = (text: string) => string | undefined;

/** Splits `text` at its last `@`; the local part begins at `start` (-1: the source route before it is wrong). */
function split(text: string, start: number, read: LocalReader): ParseResult {
  if (text.length === 0) return { ok: false, problem: 'empty' };
  const at = text.lastIndexOf('@');
  if (at < start || at === -1 || at === text.length - 1) return { ok: false, problem: 'no-domain' };
  const domain = normaliseDomain(text.slice(at + 1));
  if (domain === undefined) return { ok: false, problem: 'bad-domain' };
  if (start === -1) return { ok: false, problem: 'bad-route', domain };
  const local = readLocal(text.slice(start, at), read);
  if (local === undefined || local === '') return { ok: false, problem: 'bad-local', domain };
  if (octetsPast(local, maxLocal)) return { ok: false, problem: 'too-long', domain };
  return { ok: true, mailbox: { local, domain } };
}

/** The meaning of a local part, in NFC before and after reading, so that equivalent spellings read alike. */
function readLocal(text: string, read: LocalReader): string | undefined {
  if (isPlain(text)) return text;
  if (unprintable.test(text)) return undefined;
  return read(text.normalize('NFC'))?.normalize('NFC');
}

/** True for ASCII that means itself in every spelling: nearly every local part there is, so a scan and no copy. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (plain[text.charCodeAt(at)] !== 1) return false;
  return true;
}

function asItIs(text: string): string {
  return text;
}

/**
 * RFC 5321 §4.1.2 Local-part: Dot-string (dots taken leniently) or Quoted-string; and the mixture of the two
 * (`"john"."smith"`, RFC 5322 §4.4 obs-local-part), because Postfix takes it.
 */
function spelled(text: string): string | undefined {
  if (!spelledLocal.test(text)) return undefined;
  return text.replace(quotedString, (_, inner: string) => inner.replace(quotedPair, '$1'));
}

/**
 * Where the mailbox begins after a source route `@a,@b:` (RFC 5321 §4.1.1.3 and appendix C: accepted, ignored);
 * 0 when there is no route, -1 when it is none that could be.
 */
function routeEnd(text: string): number {
  const colon = routeColon(text);
  if (colon === -1) return 0;
  const hops = text.slice(0, colon).split(',');
  return hops.every((hop) => hop.startsWith('@') && normaliseDomain(hop.slice(1)) !== undefined)
    ? colon + 1
    : -1;
}

/** The first colon outside an address literal (`@[IPv6:2001:db8::1]:user@example.com`). */
function routeColon(text: string): number {
  let inLiteral = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === ':' && !inLiteral) return at;
    if (char === '[') inLiteral = true;
    if (char === ']') inLiteral = false;
  }
  return -1;
}

function octetsPast(text: string, limit: number): boolean {
  // A UTF-16 unit is at most three octets: short text need not be counted.
  return text.length * 3 > limit && Buffer.byteLength(text) > limit;
}
