/**
 * Who is asked about at RCPT: the address as it was typed; and as the MTA reads it (the macro `{rcpt_addr}`) where the two may
 * differ. MTAs take what we do not (`<person @ example.com>`, comments, a name in front of brackets), complete names
 * (`person`, `person@example`), and follow routes (`person%example.com@mx.example.net`): the mail goes where the macro says.
 *
 * Promises that whoever is named in a domain of ours, in either, is judged; the typed address first, as it has its case and
 * quotes. Without the macro, what cannot be read is deferred. A name that the MTA leaves without a domain is its own affair.
 */
import { parseMailbox } from '../../address/mailbox.js';
import type { Question, Verdict } from '../../policy/verdict.js';
import { octetsToText, type Asker } from '../ask.js';
import { deferInDoubt } from '../deferral.js';
import { judged, type Answer } from '../exchange.js';
import { macroOf } from './envelope.js';
import { goOn, milterReply } from './reply.js';

type Session = Pick<Question, 'sender' | 'client'>;

const noOpinion: Answer = { text: goOn };

/** `path` and `macros` hold octets; `macros` are those sent for this recipient. */
export function judgeRecipient(
  asker: Asker,
  path: string,
  macros: string,
  session: Session,
): Answer | Promise<Answer> {
  if (path !== '' && !path.includes('@')) {
    const completed = judgeRead(asker, macros, session);
    // RFC 5321 §4.5.1: <postmaster> is answered without a domain
    if (completed !== undefined || path.toLowerCase() !== 'postmaster') return completed ?? noOpinion;
  }
  const recipient = octetsToText(path);
  const typed = judged(asker, { recipient, form: 'smtp', ...session, edge: 'milter' }, milterReply);
  // nobody else is asked about an address that is not ours, so there is nothing to wait for
  if (typed instanceof Promise || !mayBeReadOtherwise(typed.verdict)) return typed;
  const read = judgeRead(asker, macros, session);
  if (read !== undefined) return read;
  return isOwnName(typed.verdict, macros) ? noOpinion : deferInDoubt(typed, milterReply);
}

function mayBeReadOtherwise(verdict: Verdict | undefined): boolean {
  return verdict?.reason === 'not-our-domain' || verdict?.reason === 'bad-syntax';
}

/** The MTA reads it as a name without a domain, and no domain of ours is in sight. */
function isOwnName(verdict: Verdict | undefined, macros: string): boolean {
  const isNobodys = verdict?.reason === 'bad-syntax' && verdict.domain === undefined;
  return isNobodys && macroOf(macros, rcptAddr) !== undefined;
}

/** Undefined when the MTA did not say, or has found no domain. */
function judgeRead(asker: Asker, macros: string, session: Session): Answer | Promise<Answer> | undefined {
  const octets = macroOf(macros, rcptAddr);
  if (octets?.includes('@') !== true) return undefined;
  const recipient = octetsToText(octets);
  // quoted by both MTAs where RFC 5321 wants it, and sometimes where it is wrong: then it is the meaning
  const form = parseMailbox(recipient).ok ? 'smtp' : 'internal';
  // Postfix writes it in lower case
  const question = { recipient, form, folded: true, advisory: true, ...session, edge: 'milter' } as const;
  return judged(asker, question, milterReply);
}

const rcptAddr = '{rcpt_addr}';
