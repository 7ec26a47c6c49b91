/**
 * What becomes of a recipient before the next hop is asked: refused or deferred here, or put to it.
 *
 * Promises that a domain which is not ours goes through only when the configuration says so: then it is the next hop's
 * alone, and neither counted nor logged as an answer of ours. An address of ours that a mail server may read as one of another
 * domain goes through only when that very address is on a list.
 */
import { createReference } from '../../policy/reference.js';
import { replies, type Decide, type Question, type Verdict } from '../../policy/verdict.js';
import { ask, tell, type Asker } from '../ask.js';
import { isRouted } from './routed.js';

export interface RecipientOptions extends Asker {
  /** `pass`: somebody before us has checked that the client may relay. */
  readonly foreignDomains: 'reject' | 'pass';
}

/** What a session knows when it asks. */
export type Envelope = Pick<Question, 'recipient' | 'sender' | 'client'>;

const postmaster: Verdict = { ...replies.always, reason: 'always' };

/** Undefined: it is not ours, and passes. */
export async function judgeRecipient(
  options: RecipientOptions,
  envelope: Envelope,
): Promise<Verdict | undefined> {
  const passes = options.foreignDomains === 'pass';
  const question: Question = {
    ...envelope,
    form: 'smtp',
    edge: 'proxy',
    // what names no domain, or one that cannot be, is not ours either
    ...(passes && { advisory: true }),
  };
  // RFC 5321 §4.5.1: `postmaster` without a domain is always taken.
  const isPostmaster = envelope.recipient.toLowerCase() === 'postmaster';
  const found = isPostmaster
    ? { verdict: postmaster, isListed: true }
    : await askKeepingList(options, question);
  if (passes && found.verdict.reason === 'not-our-domain') return undefined;
  const isRelaying = found.verdict.action === 'accept' && !found.isListed && isRouted(envelope.recipient);
  const verdict = isRelaying ? notRelayed(found.verdict) : found.verdict;
  tell(options, question, verdict);
  return verdict;
}

/** The verdict, and whether the lists themselves name the address, before anybody else was asked. */
async function askKeepingList(
  options: RecipientOptions,
  question: Question,
): Promise<{ readonly verdict: Verdict; readonly isListed: boolean }> {
  const first: Verdict[] = [];
  const decide: Decide = (asked) => {
    const verdict = options.decide(asked);
    first.push(verdict);
    return verdict;
  };
  const verdict = await ask({ ...options, decide }, question);
  return { verdict, isListed: first.some(namesIt) };
}

/** The address as it is, with all its signs, is on a list; a pattern, a base or a mode says nothing of it. */
function namesIt({ action, reason, wouldBe }: Verdict): boolean {
  return action === 'accept' && wouldBe === undefined && (reason === 'known' || reason === 'alias-domain');
}

/** In mode `observe` as well: the next hop takes us for one who may relay. */
function notRelayed(verdict: Verdict): Verdict {
  const doubt = replies[verdict.wouldBe?.reason ?? verdict.reason];
  const reply =
    doubt.action === 'defer'
      ? { ...doubt, reason: verdict.wouldBe?.reason ?? verdict.reason }
      : { ...replies['not-our-domain'], text: routeText, reason: 'not-our-domain' as const };
  return { ...verdict, ...reply, reference: verdict.reference ?? createReference(), wouldBe: undefined };
}

const routeText = 'Relaying denied: the address names a way to another domain';
