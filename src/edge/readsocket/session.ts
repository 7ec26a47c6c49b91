/**
 * What the readsocket edge answers: a line for each line, in order, until the client has shut down its side (Exim does so
 * right after its question), and then closes. So one question a connection and several (`cache=yes`) both work.
 *
 * What is not a question gets a 451 and ends the connection.
 */
import type { Socket } from 'node:net';
import { replies } from '../../policy/verdict.js';
import type { MailLog } from '../../telemetry/mail-log.js';
import { octetsToText, type Asker } from '../ask.js';
import type { Batch } from '../batch.js';
import { judged, openExchange, type Answer, type ExchangeLimits } from '../exchange.js';
import type { Session } from '../listener.js';
import { formOf } from '../table-key.js';
import { createReadsocketParser, type ReadsocketRequest } from './codec.js';
import { readsocketReply } from './reply.js';

export interface ReadsocketSessionOptions extends Asker, ExchangeLimits {
  readonly mailLog: MailLog;
  readonly batch: Batch;
  readonly maxRequestBytes: number;
}

const notUnderstood = readsocketReply({ ...replies.failure, reason: 'failure' });

export function openReadsocketSession(
  socket: Socket,
  options: ReadsocketSessionOptions,
  closed: () => void,
): Session {
  const exchange = {
    ...options,
    name: 'readsocket',
    parser: createReadsocketParser(options.maxRequestBytes),
    answer: (request: ReadsocketRequest) => answer(options, request),
    onProblem: notUnderstood,
  };
  return openExchange(socket, exchange, closed);
}

function answer(asker: Asker, request: ReadsocketRequest): Answer | Promise<Answer> {
  const recipient = octetsToText(request.recipient);
  const question = {
    recipient,
    form: formOf(recipient),
    // Exim lower-cases $local_part unless it is told not to (caseful_local_part)
    folded: true,
    advisory: true,
    sender: request.sender === undefined ? undefined : octetsToText(request.sender),
    client: request.client,
    edge: 'readsocket',
  } as const;
  return judged(asker, question, readsocketReply);
}
