/**
 * What becomes of a recipient before the next hop is asked: refused or deferred here, or put to it.
 *
 * Promises that a domain which is not ours goes through only when the configuration says so: then it is the next hop's
 * alone, and neither counted nor logged as an answer of ours.
 */
import { replies, type Question, type Verdict } from '../../policy/verdict.js';
import { ask, tell, type Asker } from '../ask.js';

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
  const verdict = isPostmaster ? postmaster : await ask(options, question);
  if (passes && verdict.reason === 'not-our-domain') return undefined;
  tell(options, question, verdict);
  return verdict;
}
