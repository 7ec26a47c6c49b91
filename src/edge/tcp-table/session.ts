/**
 * What the tcp edge answers. The protocol has no map names, so the key tells: one with an `@` is a recipient, any other a
 * domain that we answer for or do not. So one listener serves `relay_recipient_maps` and `relay_domains` alike.
 *
 * 200 found, 500 not found, 400 later (Postfix then closes the connection and answers 451). What is not the protocol gets a
 * 400 and ends the connection.
 */
import type { Socket } from 'node:net';
import type { Serves, Verdict } from '../../policy/verdict.js';
import type { MailLog } from '../../telemetry/mail-log.js';
import { octetsToText, type Asker } from '../ask.js';
import type { Batch } from '../batch.js';
import { judged, openExchange, type Answer, type ExchangeLimits } from '../exchange.js';
import type { Session } from '../listener.js';
import { foundValue, laterText, questionOfKey, tableResult } from '../table-key.js';
import { createTcpParser, tcpReply, type TcpRequest } from './codec.js';

export interface TcpSessionOptions extends Asker, ExchangeLimits {
  readonly serves: Serves;
  readonly mailLog: MailLog;
  readonly batch: Batch;
}

const nobody: Answer = { text: tcpReply(500, 'not found') };
const domainServed: Answer = { text: tcpReply(200, 'served') };
const noUpdates: Answer = { text: tcpReply(500, 'this table cannot be changed') };

export function openTcpSession(socket: Socket, options: TcpSessionOptions, closed: () => void): Session {
  const exchange = {
    ...options,
    name: 'tcp',
    parser: createTcpParser(),
    answer: (request: TcpRequest) => answer(options, request),
    onProblem: tcpReply(400, 'not a request of tcp_table'),
  };
  return openExchange(socket, exchange, closed);
}

function answer(options: TcpSessionOptions, request: TcpRequest): Answer | Promise<Answer> {
  if (request.verb === 'put') return noUpdates;
  const key = octetsToText(request.key);
  if (!key.includes('@')) return options.serves(key) ? domainServed : nobody;
  const question = questionOfKey(key, 'tcp');
  return question === undefined ? nobody : judged(options, question, tcpTableReply);
}

export function tcpTableReply(verdict: Verdict): string {
  switch (tableResult(verdict)) {
    case 'found':
      return tcpReply(200, foundValue(verdict));
    case 'not-found':
      return nobody.text;
    case 'later':
      return tcpReply(400, laterText(verdict));
  }
}
