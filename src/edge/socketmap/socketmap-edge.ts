/**
 * The socketmap edge (socketmap_table(5)): recipients and domains as a lookup table, for Postfix and Sendmail. Postfix closes
 * a connection itself after 10 s without a request or 100 s in all, so our own idle timeout is longer.
 */
import type { Confirm, Decide, Serves, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import { createMailLog, type MailLog } from '../../telemetry/mail-log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { createBatch } from '../batch.js';
import type { ListenAddress } from '../bind.js';
import { createListener, type Edge } from '../listener.js';
import { openSocketmapSession, type SocketmapSessionOptions } from './session.js';

export interface SocketmapEdgeOptions {
  readonly listen: readonly ListenAddress[];
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly serves: Serves;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog?: MailLog;
  readonly metrics?: Metrics;
  /** Default 2,000. */
  readonly maxConnections?: number;
  /** Of the content of a netstring; default 100,000. */
  readonly maxRequestBytes?: number;
  /** Default 1,000 s. */
  readonly idleTimeoutMs?: number;
  /** From the first byte of a request to its last; default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Default 10 s. */
  readonly drainTimeoutMs?: number;
}

export function createSocketmapEdge(options: SocketmapEdgeOptions): Edge {
  const session: SocketmapSessionOptions = {
    batch: createBatch(),
    decide: options.decide,
    confirm: options.confirm,
    serves: options.serves,
    witness: options.witness,
    log: options.log,
    mailLog: options.mailLog ?? createMailLog(options.log),
    maxRequestBytes: options.maxRequestBytes ?? 100_000,
    idleTimeoutMs: options.idleTimeoutMs ?? 1_000_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
  };
  const listener = createListener({
    name: 'socketmap',
    listen: options.listen,
    maxConnections: options.maxConnections ?? 2000,
    drainTimeoutMs: options.drainTimeoutMs ?? 10_000,
    log: options.log,
    mailLog: session.mailLog,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    onConnection: (socket, closed) => openSocketmapSession(socket, session, closed),
  });
  return { name: 'socketmap', ...listener };
}
