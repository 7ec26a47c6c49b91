/**
 * The milter edge: Sendmail's mail filter protocol (Postfix `smtpd_milters`, Sendmail `INPUT_MAIL_FILTER`) over TCP and unix
 * sockets, asked at RCPT. The MTA keeps one connection for each SMTP session, and is silent on it while a message of any size
 * goes by, so our idle timeout is libmilter's own.
 */
import type { Confirm, Decide, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import { createMailLog, type MailLog } from '../../telemetry/mail-log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import { createBatch } from '../batch.js';
import type { ListenAddress } from '../bind.js';
import { createListener, type Edge } from '../listener.js';
import { openMilterSession, type MilterSessionOptions } from './session.js';

export interface MilterEdgeOptions {
  readonly listen: readonly ListenAddress[];
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog?: MailLog;
  readonly metrics?: Metrics;
  /** Default 2,000. */
  readonly maxConnections?: number;
  /** Default 7,210 s. */
  readonly idleTimeoutMs?: number;
  /** From the first byte of a command to its last; default 10 s. */
  readonly requestTimeoutMs?: number;
  /** Default 10 s. */
  readonly drainTimeoutMs?: number;
}

export function createMilterEdge(options: MilterEdgeOptions): Edge {
  const session: MilterSessionOptions = {
    batch: createBatch(),
    // No check reads the message yet.
    wants: { message: false },
    decide: options.decide,
    confirm: options.confirm,
    witness: options.witness,
    log: options.log,
    mailLog: options.mailLog ?? createMailLog(options.log),
    idleTimeoutMs: options.idleTimeoutMs ?? 7_210_000,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
  };
  const listener = createListener({
    name: 'milter',
    listen: options.listen,
    maxConnections: options.maxConnections ?? 2000,
    drainTimeoutMs: options.drainTimeoutMs ?? 10_000,
    log: options.log,
    mailLog: session.mailLog,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    onConnection: (socket, closed) => openMilterSession(socket, session, closed),
  });
  return { name: 'milter', ...listener };
}
