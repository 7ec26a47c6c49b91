/**
 * The tcp edge: Postfix tcp_table(5), recipients and domains in one table. For what can ask by socketmap, that is better:
 * Postfix waits about 9 s for each recipient while nobody answers this one, and drops the connection at each defer.
 */
import type { Confirm, Decide, Serves, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import { createMailLog, type MailLog } from '../../telemetry/mail-log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { createBatch } from '../batch.js';
import type { ListenAddress } from '../bind.js';
import { createListener, type Edge } from '../listener.js';
import { openTcpSession, type TcpSessionOptions } from './session.js';

export interface TcpEdgeOptions {
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
  /** Default 1,000 s. */
  readonly idleTimeoutMs?: number;
  /** From the first byte of a request to its last; default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Default 10 s. */
  readonly drainTimeoutMs?: number;
}

export function createTcpEdge(options: TcpEdgeOptions): Edge {
  const session: TcpSessionOptions = {
    batch: createBatch(),
    decide: options.decide,
    confirm: options.confirm,
    serves: options.serves,
    witness: options.witness,
    log: options.log,
    mailLog: options.mailLog ?? createMailLog(options.log),
    idleTimeoutMs: options.idleTimeoutMs ?? 1_000_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
  };
  const listener = createListener({
    name: 'tcp',
    listen: options.listen,
    maxConnections: options.maxConnections ?? 2000,
    drainTimeoutMs: options.drainTimeoutMs ?? 10_000,
    log: options.log,
    mailLog: session.mailLog,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    onConnection: (socket, closed) => openTcpSession(socket, session, closed),
  });
  return { name: 'tcp', ...listener };
}
