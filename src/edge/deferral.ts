/**
 * A refusal that is not sure to be about the recipient whom the mail server will deliver to: it becomes a deferral, under the
 * same reference. What is no refusal stays what it is: an accept of mode observe, and "not our domain" to an asking door.
 */
import { replies, type Verdict } from '../policy/verdict.js';
import type { Answer } from './exchange.js';

export function deferInDoubt(
  answer: Answer | Promise<Answer>,
  toText: (verdict: Verdict) => string,
): Answer | Promise<Answer> {
  if (answer instanceof Promise) return answer.then((late) => deferAnswer(late, toText));
  return deferAnswer(answer, toText);
}

function deferAnswer(answer: Answer, toText: (verdict: Verdict) => string): Answer {
  if (answer.verdict?.action !== 'reject' || answer.verdict.reason === 'not-our-domain') return answer;
  const verdict: Verdict = { ...answer.verdict, ...replies.failure, reason: 'failure' };
  return { ...answer, text: toText(verdict), verdict };
}
