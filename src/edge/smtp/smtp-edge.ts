/**
 * The SMTP edge: a call-ahead target that any MTA can verify recipients against (Postfix `reject_unverified_recipient`,
 * Exim callout, milter-ahead). Sessions come from the common listener; smtp-server's own server never listens, it only
 * holds the TLS context and the options its connections look up.
 */
import { createSecureContext } from 'node:tls';
import { hostname } from 'node:os';
import { SMTPServer } from 'smtp-server';
import type { Confirm, Decide, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import { createMailLog, type MailLog } from '../../telemetry/mail-log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { ListenAddress } from '../bind.js';
import { createListener, type Edge } from '../listener.js';
import { smtpReplies } from './replies.js';
import { SmtpSession, type SmtpSessionOptions } from './session.js';

export interface TlsMaterial {
  /** PEM: the certificate and its chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

export interface SmtpEdgeOptions {
  readonly listen: readonly ListenAddress[];
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog?: MailLog;
  readonly metrics?: Metrics;
  /** In the greeting; default: the name of the machine. */
  readonly hostname?: string;
  /** Offers STARTTLS; without it there is none. */
  readonly tls?: TlsMaterial;
  /** Default 0. */
  readonly greetingDelayMs?: number;
  /** Default 1,000. */
  readonly maxConnections?: number;
  /** Default 0: no limit of its own. */
  readonly maxConnectionsPerClient?: number;
  /** Of one transaction, then 452; default 1,000. */
  readonly maxRecipients?: number;
  /** Of one session, then 421; default 100. */
  readonly maxRejected?: number;
  /** Bad commands of one session, then 421; default 20. */
  readonly maxErrors?: number;
  /** Octets of a command line; default 2,048 (RFC 5321 §4.5.3.1.4 asks for 512, extensions for more). */
  readonly maxLineLength?: number;
  /** Default 60 s. */
  readonly idleTimeoutMs?: number;
  /** Default 15 minutes. */
  readonly sessionTimeoutMs?: number;
  /** Default 10 s. */
  readonly drainTimeoutMs?: number;
}

export interface SmtpEdge extends Edge {
  /** For sessions from now on; throws when the two do not fit together. */
  setTls(tls: TlsMaterial): void;
}

export function createSmtpEdge(options: SmtpEdgeOptions): SmtpEdge {
  const name = options.hostname ?? hostname();
  const session = sessionOptions(options, name);
  const host = createHost(options, name, session.maxLineLength);
  const listener = createListener({
    name: 'smtp',
    listen: options.listen,
    maxConnections: options.maxConnections ?? 1000,
    maxConnectionsPerClient: options.maxConnectionsPerClient ?? 0,
    drainTimeoutMs: options.drainTimeoutMs ?? 10_000,
    busyReply: `${smtpReplies.busy}\r\n`,
    log: options.log,
    mailLog: session.mailLog,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    onConnection: (socket, closed) => {
      const connection = new SmtpSession(host, socket, session, closed);
      connection.init();
      return connection;
    },
  });
  function setTls(tls: TlsMaterial): void {
    // throws when they do not fit together; smtp-server would first forget the old ones
    createSecureContext({ ...tls });
    host.updateSecureContext({ ...tls });
  }
  return { name: 'smtp', ...listener, setTls };
}

function sessionOptions(options: SmtpEdgeOptions, name: string): SmtpSessionOptions {
  return {
    decide: options.decide,
    confirm: options.confirm,
    witness: options.witness,
    log: options.log,
    mailLog: options.mailLog ?? createMailLog(options.log),
    name,
    offersTls: options.tls !== undefined,
    greetingDelayMs: options.greetingDelayMs ?? 0,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 900_000,
    maxRecipients: options.maxRecipients ?? 1000,
    maxRejected: options.maxRejected ?? 100,
    maxErrors: options.maxErrors ?? 20,
    maxLineLength: options.maxLineLength ?? 2048,
  };
}

function createHost(options: SmtpEdgeOptions, name: string, maxCommandLength: number): SMTPServer {
  return new SMTPServer({
    name,
    logger: false,
    disableReverseLookup: true,
    disabledCommands: options.tls === undefined ? ['AUTH', 'STARTTLS'] : ['AUTH'],
    socketTimeout: options.idleTimeoutMs ?? 60_000,
    maxCommandLength,
    // smtp-server would offer TLS 1.0 for the sake of old clients; ours is the operator's own MTA.
    minVersion: 'TLSv1.2',
    ...options.tls,
  });
}
