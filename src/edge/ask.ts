/**
 * How an edge asks. Promises an answer: `decide` and `witness` do not throw by contract, and if a defect makes one of them
 * throw all the same, the client gets the verdict `failure` (defer), never a closed connection or a guess.
 */
import { replies, type Decide, type Question, type Verdict, type Witness } from '../policy/verdict.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';

const failure: Verdict = { ...replies.failure, reason: 'failure' };

export interface Asker {
  readonly decide: Decide;
  readonly witness: Witness;
  readonly log: Logger;
}

export function ask(asker: Asker, question: Question): Verdict {
  try {
    return asker.decide(question);
  } catch (error) {
    asker.log.error({ edge: question.edge, err: messageOf(error) }, 'decide threw: deferred');
    return failure;
  }
}

/** Tells the witness, after the answer was handed to the socket. */
export function tell(asker: Asker, question: Question, verdict: Verdict): void {
  try {
    asker.witness(question, verdict);
  } catch (error) {
    asker.log.error({ edge: question.edge, err: messageOf(error) }, 'witness threw: ignored');
  }
}

/** Octets as the client sent them (latin1) to text: UTF-8 where there is any, U+FFFD where it is broken. */
export function octetsToText(octets: string): string {
  return highOctet.test(octets) ? Buffer.from(octets, 'latin1').toString('utf8') : octets;
}

const highOctet = /[\x80-\xff]/;
