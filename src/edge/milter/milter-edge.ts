/**
 * The milter edge: Sendmail's mail filter protocol (Postfix `smtpd_milters`, Sendmail `INPUT_MAIL_FILTER`) over TCP and unix
 * sockets, asked at RCPT. The MTA keeps one connection for each SMTP session, and is silent on it while a message of any size
 * goes by, so our idle timeout is libmilter's own.
 */
import { createBatch } from '../batch.js';
import type { AskingEdgeOptions } from '../edge-options.js';
import { createListener, type Edge } from '../listener.js';
import { openMilterSession } from './session.js';

export function createMilterEdge(options: AskingEdgeOptions): Edge {
  // No check reads the message yet.
  const session = { ...options, batch: createBatch(), wants: { message: false } };
  return createListener({
    ...options,
    name: 'milter',
    onConnection: (socket, closed) => openMilterSession(socket, session, closed),
  });
}
