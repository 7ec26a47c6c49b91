/**
 * What is asked of, and answered by, a lookup table that an MTA uses as its list of recipients (socketmap, tcp).
 *
 * A table can say three things: found, not found (which the MTA turns into its own 5xx), and try later. Promises "not found"
 * only for what the verdict refuses; every defer is "later". A domain that is not ours is "later" too: the MTA relays for it,
 * or it would not ask, and Rollcall knows nothing of it.
 *
 * Partial keys (`@example.com`, `user@`, `example.com`, which MTAs try in tables of other kinds) are not found and never
 * judged: a list has whole addresses, and a yes to one of these would be a yes to everybody.
 */
import type { Question, Verdict } from '../policy/verdict.js';
import { replyText } from './reply-text.js';

/** The question behind a key, which is text; undefined for a partial key. Tables are told neither sender nor client. */
export function questionOfKey(key: string, edge: string): Question | undefined {
  const at = key.lastIndexOf('@');
  const isWhole = at > 0 && at < key.length - 1;
  // RFC 5321 §4.5.1: <postmaster> without a domain
  if (!isWhole && !/^<?postmaster>?$/i.test(key)) return undefined;
  return { recipient: key, form: formOf(key), folded: true, advisory: true, edge };
}

/** Postfix asks with the quoted spelling first, then without; the second cannot be told from RFC 5321 by itself. */
export function formOf(address: string): Question['form'] {
  const isSpelled = address.startsWith('"') || (address.startsWith('<') && address.endsWith('>'));
  return isSpelled ? 'smtp' : 'internal';
}

export type TableResult = 'found' | 'not-found' | 'later';

export function tableResult(verdict: Verdict): TableResult {
  if (verdict.action === 'accept') return 'found';
  return verdict.action === 'defer' || verdict.reason === 'not-our-domain' ? 'later' : 'not-found';
}

/** Why, for a person with `postmap -q`: never empty, as an empty value is an error to Postfix. */
export function foundValue(verdict: Verdict): string {
  return verdict.wouldBe === undefined ? verdict.reason : 'observed';
}

export function laterText(verdict: Verdict): string {
  return verdict.reason === 'not-our-domain'
    ? 'not a domain served here: add it to the domains of Rollcall, or do not relay for it'
    : `${verdict.status} ${replyText(verdict)}`;
}
