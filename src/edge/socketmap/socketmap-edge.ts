/**
 * The socketmap edge (socketmap_table(5)): recipients and domains as a lookup table, for Postfix and Sendmail. Postfix closes
 * a connection itself after 10 s without a request or 100 s in all, so our own idle timeout is longer.
 */
import type { Serves } from '../../policy/verdict.js';
import { createBatch } from '../batch.js';
import type { AskingEdgeOptions } from '../edge-options.js';
import { createListener, type Edge } from '../listener.js';
import { openSocketmapSession } from './session.js';

export interface SocketmapEdgeOptions extends AskingEdgeOptions {
  readonly serves: Serves;
  /** Of the content of a netstring. */
  readonly maxRequestBytes: number;
}

export function createSocketmapEdge(options: SocketmapEdgeOptions): Edge {
  const session = { ...options, batch: createBatch() };
  return createListener({
    ...options,
    name: 'socketmap',
    onConnection: (socket, closed) => openSocketmapSession(socket, session, closed),
  });
}
