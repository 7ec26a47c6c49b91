/**
 * The SMTP edge: a call-ahead target that any MTA can verify recipients against (Postfix `reject_unverified_recipient`,
 * Exim callout, milter-ahead). Sessions come from the common listener; smtp-server's own server never listens, it only
 * holds the TLS context and the options its connections look up.
 */
import { createSecureContext } from 'node:tls';
import { hostname } from 'node:os';
import { SMTPServer } from 'smtp-server';
import {
  defaultMaxErrors,
  maxLineLength,
  type SmtpServerOptions,
  type TlsMaterial,
} from '../edge-options.js';
import { createListener, type Edge } from '../listener.js';
import { smtpReplies } from './replies.js';
import { SmtpSession, type SmtpSessionOptions } from './session.js';

export interface SmtpEdgeOptions extends SmtpServerOptions {
  readonly greetingDelayMs: number;
  /** Cannot be configured; default 15 minutes. */
  readonly sessionTimeoutMs?: number;
}

export interface SmtpEdge extends Edge {
  /** For sessions from now on; throws when the two do not fit together. */
  setTls(tls: TlsMaterial): void;
}

export function createSmtpEdge(options: SmtpEdgeOptions): SmtpEdge {
  const name = options.hostname ?? hostname();
  const session = sessionOptions(options, name);
  const host = createHost(options, name);
  const listener = createListener({
    ...options,
    name: 'smtp',
    busyReply: `${smtpReplies.busy}\r\n`,
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
  return { ...listener, setTls };
}

function sessionOptions(options: SmtpEdgeOptions, name: string): SmtpSessionOptions {
  const { sessionTimeoutMs = 900_000, maxErrors = defaultMaxErrors, tls } = options;
  return { ...options, name, offersTls: tls !== undefined, sessionTimeoutMs, maxErrors };
}

function createHost(options: SmtpEdgeOptions, name: string): SMTPServer {
  return new SMTPServer({
    name,
    logger: false,
    disableReverseLookup: true,
    disabledCommands: options.tls === undefined ? ['AUTH', 'STARTTLS'] : ['AUTH'],
    socketTimeout: options.idleTimeoutMs,
    maxCommandLength: maxLineLength,
    // smtp-server would offer TLS 1.0 for the sake of old clients; ours is the operator's own MTA.
    minVersion: 'TLSv1.2',
    ...options.tls,
  });
}
