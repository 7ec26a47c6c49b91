/**
 * A decide that answers by name: `unknown@example.com` gets the verdict `unknown`, and so for each reason of the table;
 * `observed@` is accepted though it would be unknown; `broken@` makes it throw; other names are known. Domains other than
 * example.com are not ours.
 */
import {
  reasons,
  replies,
  type Decide,
  type Question,
  type Reason,
  type Verdict,
} from '../../src/policy/verdict.js';

export const reference = 'K3QX7A';

export function verdictFor(reason: Reason): Verdict {
  const reply = replies[reason];
  const common = { ...reply, reason, domain: 'example.com', tenant: 'default', key: 'someone@example.com' };
  return reply.action === 'accept' ? common : { ...common, reference };
}

export const decideByName: Decide = (question) => {
  const at = question.recipient.lastIndexOf('@');
  const local = question.recipient.slice(0, at).toLowerCase();
  if (at <= 0) return verdictFor(question.advisory === true ? 'not-our-domain' : 'bad-syntax');
  if (local === 'broken') throw new Error('a defect');
  if (question.recipient.slice(at + 1).toLowerCase() !== 'example.com') return verdictFor('not-our-domain');
  if (local === 'observed') {
    const wouldBe = { ...replies.unknown, reason: 'unknown' } as const;
    return { ...verdictFor('known'), wouldBe };
  }
  return verdictFor(reasons.find((reason) => reason === local) ?? 'known');
};

export interface Recorder {
  readonly decide: Decide;
  readonly witness: (question: Question, verdict: Verdict) => void;
  readonly asked: Question[];
  readonly told: { readonly question: Question; readonly verdict: Verdict }[];
}

/** `decideByName` that remembers what it was asked, and a witness that remembers what it was told. */
export function recorder(decide: Decide = decideByName): Recorder {
  const asked: Question[] = [];
  const told: Recorder['told'] = [];
  return {
    asked,
    told,
    decide: (question) => {
      asked.push(question);
      return decide(question);
    },
    witness: (question, verdict) => told.push({ question, verdict }),
  };
}
