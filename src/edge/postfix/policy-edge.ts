/**
 * The policy edge: Postfix access policy delegation (`check_policy_service`) over TCP and unix sockets. Each smtpd process
 * keeps one connection; Postfix closes it after 300 s without a question, so our own idle timeout is longer.
 */
import { createBatch } from '../batch.js';
import type { AskingEdgeOptions } from '../edge-options.js';
import { createListener, type Edge } from '../listener.js';
import { openPolicySession } from './session.js';

export interface PolicyEdgeOptions extends AskingEdgeOptions {
  readonly maxRequestBytes: number;
}

export function createPolicyEdge(options: PolicyEdgeOptions): Edge {
  const session = { ...options, batch: createBatch() };
  return createListener({
    ...options,
    name: 'policy',
    onConnection: (socket, closed) => openPolicySession(socket, session, closed),
  });
}
