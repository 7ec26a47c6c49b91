/**
 * How an edge asks. Promises an answer: `decide`, `confirm` and `witness` do not throw by contract, and if a defect makes one
 * of them throw all the same, or never answer, the client gets the verdict `failure` (defer), never a closed connection or a
 * guess.
 */
import {
  replies,
  type Confirm,
  type Decide,
  type Question,
  type Verdict,
  type Witness,
} from '../policy/verdict.js';
import { messageOf } from '../errors.js';
import type { Logger } from '../telemetry/log.js';

const failure: Verdict = { ...replies.failure, reason: 'failure' };

/** Above every deadline that can be configured: it ends only what a defect keeps waiting. */
const patienceMs = 25_000;

export interface Asker {
  readonly decide: Decide;
  /** Absent when nobody can be asked. */
  readonly confirm?: Confirm | undefined;
  readonly witness: Witness;
  readonly log: Logger;
}

/** At once for nearly every question; a promise, which never rejects, when somebody else has to be asked. */
export function ask(asker: Asker, question: Question): Verdict | Promise<Verdict> {
  try {
    const verdict = asker.decide(question);
    if (verdict.action === 'accept' && verdict.wouldBe === undefined) return verdict;
    const confirmed = asker.confirm?.(question, verdict);
    if (confirmed === undefined) return verdict;
    return confirmed instanceof Promise ? inTime(confirmed, asker, question) : confirmed;
  } catch (error) {
    asker.log.error({ edge: question.edge, err: messageOf(error) }, 'decide threw: deferred');
    return failure;
  }
}

async function inTime(confirmed: Promise<Verdict>, asker: Asker, question: Question): Promise<Verdict> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Verdict>((resolve) => {
    timer = setTimeout(() => resolve(failure), patienceMs).unref();
  });
  try {
    return await Promise.race([confirmed, late]);
  } catch (error) {
    asker.log.error({ edge: question.edge, err: messageOf(error) }, 'confirm failed: deferred');
    return failure;
  } finally {
    clearTimeout(timer);
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
