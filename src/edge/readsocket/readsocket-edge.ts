/**
 * The readsocket edge: one line in, one line out, for Exim's `${readsocket}` and for anything else that can open a socket.
 */
import type { Confirm, Decide, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import { createMailLog, type MailLog } from '../../telemetry/mail-log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { createBatch } from '../batch.js';
import type { ListenAddress } from '../bind.js';
import { createListener, type Edge } from '../listener.js';
import { openReadsocketSession, type ReadsocketSessionOptions } from './session.js';

export interface ReadsocketEdgeOptions {
  readonly listen: readonly ListenAddress[];
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog?: MailLog;
  readonly metrics?: Metrics;
  /** Default 2,000. */
  readonly maxConnections?: number;
  /** Of a line; default 4,096. */
  readonly maxRequestBytes?: number;
  /** Default 60 s. */
  readonly idleTimeoutMs?: number;
  /** From the first byte of a request to its last; default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Default 10 s. */
  readonly drainTimeoutMs?: number;
}

export function createReadsocketEdge(options: ReadsocketEdgeOptions): Edge {
  const session: ReadsocketSessionOptions = {
    batch: createBatch(),
    decide: options.decide,
    confirm: options.confirm,
    witness: options.witness,
    log: options.log,
    mailLog: options.mailLog ?? createMailLog(options.log),
    maxRequestBytes: options.maxRequestBytes ?? 4096,
    idleTimeoutMs: options.idleTimeoutMs ?? 60_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
  };
  const listener = createListener({
    name: 'readsocket',
    listen: options.listen,
    maxConnections: options.maxConnections ?? 2000,
    drainTimeoutMs: options.drainTimeoutMs ?? 10_000,
    log: options.log,
    mailLog: session.mailLog,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    onConnection: (socket, closed) => openReadsocketSession(socket, session, closed),
  });
  return { name: 'readsocket', ...listener };
}
