/**
 * What the socketmap edge answers to `map SP key`.
 *
 * Two maps: `recipients` gives the verdict, `domains` tells the domains we answer for, and nothing below them. Another name,
 * or no name, is a mistake in the MTA's configuration: TEMP, with what is wrong. What is not a netstring closes the
 * connection without a word, on which Postfix tries once more and then answers 451.
 */
import type { Socket } from 'node:net';
import type { Serves } from '../../policy/verdict.js';
import type { MailLog } from '../../telemetry/mail-log.js';
import { octetsToText, type Asker } from '../ask.js';
import type { Batch } from '../batch.js';
import { judged, openExchange, type Answer, type ExchangeLimits } from '../exchange.js';
import type { Session } from '../listener.js';
import { questionOfKey } from '../table-key.js';
import { createNetstringParser } from './codec.js';
import { found, misconfigured, notFound, socketmapReply } from './reply.js';

export interface SocketmapSessionOptions extends Asker, ExchangeLimits {
  readonly serves: Serves;
  readonly mailLog: MailLog;
  readonly batch: Batch;
  readonly maxRequestBytes: number;
}

export const mapNames = ['recipients', 'domains'] as const;

const nobody: Answer = { text: notFound };
const noName: Answer = {
  text: misconfigured(`the request must be: map, space, key; maps: ${mapNames.join(', ')}`),
};
const domainServed: Answer = { text: found('served') };

export function openSocketmapSession(
  socket: Socket,
  options: SocketmapSessionOptions,
  closed: () => void,
): Session {
  const exchange = {
    ...options,
    name: 'socketmap',
    parser: createNetstringParser(options.maxRequestBytes),
    answer: (request: string) => answer(options, request),
  };
  return openExchange(socket, exchange, closed);
}

function answer(options: SocketmapSessionOptions, request: string): Answer | Promise<Answer> {
  const space = request.indexOf(' ');
  if (space === -1) return noName;
  const map = request.slice(0, space);
  const key = octetsToText(request.slice(space + 1));
  if (map === 'recipients') {
    const question = questionOfKey(key, 'socketmap');
    return question === undefined ? nobody : judged(options, question, socketmapReply);
  }
  if (map === 'domains') return options.serves(key) ? domainServed : nobody;
  return { text: misconfigured(`there is no map ${shown(map)}; maps: ${mapNames.join(', ')}`) };
}

function shown(map: string): string {
  return `"${map.slice(0, 60).replace(/[^\x20-\x7e]/g, '?')}"`;
}
