/**
 * The policy edge: Postfix access policy delegation (`check_policy_service`) over TCP and unix sockets. Each smtpd process
 * keeps one connection; Postfix closes it after 300 s without a question, so our own idle timeout is longer.
 */
import type { Confirm, Decide, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import { createMailLog, type MailLog } from '../../telemetry/mail-log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { createBatch } from '../batch.js';
import type { ListenAddress } from '../bind.js';
import { createListener, type Edge } from '../listener.js';
import { openPolicySession, type PolicySessionOptions } from './session.js';

export interface PolicyEdgeOptions {
  readonly listen: readonly ListenAddress[];
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog?: MailLog;
  readonly metrics?: Metrics;
  /** Default 2,000. */
  readonly maxConnections?: number;
  /** Default 64 KiB. */
  readonly maxRequestBytes?: number;
  /** Default 1,000 s. */
  readonly idleTimeoutMs?: number;
  /** From the first byte of a request to its last; default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Default 10 s. */
  readonly drainTimeoutMs?: number;
}

export function createPolicyEdge(options: PolicyEdgeOptions): Edge {
  const session: PolicySessionOptions = {
    batch: createBatch(),
    decide: options.decide,
    confirm: options.confirm,
    witness: options.witness,
    log: options.log,
    mailLog: options.mailLog ?? createMailLog(options.log),
    maxRequestBytes: options.maxRequestBytes ?? 65_536,
    idleTimeoutMs: options.idleTimeoutMs ?? 1_000_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
  };
  const listener = createListener({
    name: 'policy',
    listen: options.listen,
    maxConnections: options.maxConnections ?? 2000,
    drainTimeoutMs: options.drainTimeoutMs ?? 10_000,
    log: options.log,
    mailLog: session.mailLog,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    onConnection: (socket, closed) => openPolicySession(socket, session, closed),
  });
  return { name: 'policy', ...listener };
}
