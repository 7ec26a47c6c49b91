/**
 * What the policy edge answers to a request.
 *
 * A recipient is judged in the state RCPT, where each one is asked about by itself, or when no state is given (a person with
 * netcat); in every other state the answer is DUNNO. RCPT without a recipient is deferred: we do not know whom it is about.
 *
 * Postfix passes an address without `@` as it was typed, and completes it later. A name alone gets DUNNO: whether `$myorigin` is
 * a domain of ours is not told, and Postfix has its own rules for its own names. A route in the old spellings
 * (`example.com!person`, `person%example.com`) is judged as Postfix reads it by default; as it may be set not to, a refusal
 * of it is a deferral.
 *
 * Something that is not the protocol is answered by closing the connection without a word, on which Postfix tries once more
 * and then answers 451, never a permit.
 */
import type { Socket } from 'node:net';
import { replies } from '../../policy/verdict.js';
import type { MailLog } from '../../telemetry/mail-log.js';
import { octetsToText, type Asker } from '../ask.js';
import type { Batch } from '../batch.js';
import { deferInDoubt } from '../deferral.js';
import { judged, openExchange, type Answer, type ExchangeLimits } from '../exchange.js';
import type { Session } from '../listener.js';
import { createPolicyParser, type PolicyRequest } from './codec.js';
import { dunno, policyReply } from './reply.js';
import { routedRecipient } from './routed.js';

export interface PolicySessionOptions extends Asker, ExchangeLimits {
  readonly mailLog: MailLog;
  readonly maxRequestBytes: number;
  readonly batch: Batch;
}

const noOpinion: Answer = { text: dunno };
const nobody: Answer = { text: policyReply({ ...replies.failure, reason: 'failure' }) };

export function openPolicySession(
  socket: Socket,
  options: PolicySessionOptions,
  closed: () => void,
): Session {
  const exchange = {
    ...options,
    name: 'policy',
    parser: createPolicyParser(options.maxRequestBytes),
    answer: (request: PolicyRequest) => answer(options, request),
  };
  return openExchange(socket, exchange, closed);
}

function answer(asker: Asker, request: PolicyRequest): Answer | Promise<Answer> {
  const isJudged = request.state === 'RCPT' || (request.state === '' && request.recipient !== '');
  if (!isJudged) return noOpinion;
  if (request.recipient === '') return nobody;
  const recipient = octetsToText(request.recipient);
  const routed = recipient.includes('@') ? undefined : routedRecipient(recipient);
  const question = {
    recipient: routed ?? recipient,
    form: 'internal',
    advisory: true,
    sender: request.sender === undefined ? undefined : octetsToText(request.sender),
    client: request.client,
    edge: 'policy',
  } as const;
  const judgement = judged(asker, question, policyReply);
  return routed === undefined ? judgement : deferInDoubt(judgement, policyReply);
}
