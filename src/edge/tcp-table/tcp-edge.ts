/**
 * The tcp edge: Postfix tcp_table(5), recipients and domains in one table. For what can ask by socketmap, that is better:
 * Postfix waits about 9 s for each recipient while nobody answers this one, and drops the connection at each defer.
 */
import type { Serves } from '../../policy/verdict.js';
import { createBatch } from '../batch.js';
import type { AskingEdgeOptions } from '../edge-options.js';
import { createListener, type Edge } from '../listener.js';
import { openTcpSession } from './session.js';

export interface TcpEdgeOptions extends AskingEdgeOptions {
  readonly serves: Serves;
}

export function createTcpEdge(options: TcpEdgeOptions): Edge {
  const session = { ...options, batch: createBatch() };
  return createListener({
    ...options,
    name: 'tcp',
    onConnection: (socket, closed) => openTcpSession(socket, session, closed),
  });
}
