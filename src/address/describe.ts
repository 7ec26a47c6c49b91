/**
 * What is wrong with an address, in words for a person. Never repeats the address: the caller knows it, and decides
 * whether it may be shown.
 */

import type { AddressProblem } from './mailbox.js';

const sentences = {
  empty: 'the address is empty',
  'no-domain': 'the address has no domain after an @',
  'bad-local': 'the part before the @ is empty, or holds a character that must be quoted or may not be there',
  'bad-domain': 'the part after the @ is neither a domain name nor an address literal such as [192.0.2.1]',
  'bad-route': 'the source route before the address is not a list of domains such as @a.example,@b.example:',
  'too-long': 'the address is too long: at most 256 octets before the @, 1000 characters in all',
} satisfies Record<AddressProblem, string>;

/** A clause without a full stop, to stand after a colon. */
export function describeProblem(problem: AddressProblem): string {
  return sentences[problem];
}
