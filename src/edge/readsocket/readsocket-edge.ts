/**
 * The readsocket edge: one line in, one line out, for Exim's `${readsocket}` and for anything else that can open a socket.
 */
import { createBatch } from '../batch.js';
import type { AskingEdgeOptions } from '../edge-options.js';
import { createListener, type Edge } from '../listener.js';
import { openReadsocketSession } from './session.js';

export interface ReadsocketEdgeOptions extends AskingEdgeOptions {
  /** Of a line. */
  readonly maxRequestBytes: number;
}

export function createReadsocketEdge(options: ReadsocketEdgeOptions): Edge {
  const session = { ...options, batch: createBatch() };
  return createListener({
    ...options,
    name: 'readsocket',
    onConnection: (socket, closed) => openReadsocketSession(socket, session, closed),
  });
}
