/**
 * The key of a mailbox: the one string under which sync stores an address and lookup finds it.
 *
 * Promises: two spellings of one mailbox have one key; folding a key again changes nothing; the locale of the machine
 * plays no part. Refuses nothing: a parsed mailbox always has a key.
 */

import type { Mailbox } from './mailbox.js';

const [upperA, upperZ, beyondAscii] = [0x41, 0x5a, 0x80];

/** The key of a mailbox whose domain ignores the case of local parts: folded local part, `@`, domain. */
export function keyOf(mailbox: Mailbox): string {
  return `${foldLocal(mailbox.local)}@${mailbox.domain}`;
}

/** The key of a mailbox whose domain tells local parts apart by case (RFC 5321 §2.4). */
export function exactKeyOf(mailbox: Mailbox): string {
  return `${mailbox.local}@${mailbox.domain}`;
}

/** Folds the case of a local part, in NFC. */
export function foldLocal(local: string): string {
  let capital = false;
  for (let at = 0; at < local.length; at++) {
    const code = local.charCodeAt(at);
    if (code >= beyondAscii) return foldUnicode(local);
    if (code >= upperA && code <= upperZ) capital = true;
  }
  return capital ? local.toLowerCase() : local;
}

/**
 * toLowerCase writes Σ as ς at the end of a word and as σ elsewhere, so ς becomes σ; and a small letter may compose
 * with its accent where the capital could not (J̌, ǰ), so NFC comes last as well as first.
 */
function foldUnicode(local: string): string {
  return local.normalize('NFC').toLowerCase().replaceAll('ς', 'σ').normalize('NFC');
}
