/**
 * What the edges are given, and what those of one family have in common. All of it is required: what is left out of a
 * configuration, its schema fills in, and there alone.
 */
import type { MailLog } from '../telemetry/mail-log.js';
import type { Asker } from './ask.js';
import type { ListenAddress } from './bind.js';

export interface EdgeOptions extends Asker {
  readonly listen: readonly ListenAddress[];
  readonly mailLog: MailLog;
  readonly maxConnections: number;
  /** A connection silent for so long is closed. */
  readonly idleTimeoutMs: number;
  /** At a stop: then what is left is cut. */
  readonly drainTimeoutMs: number;
}

/** Of a protocol of requests and replies. */
export interface AskingEdgeOptions extends EdgeOptions {
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
}

export interface TlsMaterial {
  /** PEM: the certificate and its chain. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** Of an SMTP server, with or without a message in the end. */
export interface SmtpServerOptions extends EdgeOptions {
  /** In the greeting; default: the name of the machine. */
  readonly hostname?: string | undefined;
  /** Offers STARTTLS; without it there is none. */
  readonly tls?: TlsMaterial | undefined;
  /** 0: no limit of its own. */
  readonly maxConnectionsPerClient: number;
  /** Of one transaction, then 452. */
  readonly maxRecipients: number;
  /** Of one session, then 421. */
  readonly maxRejected: number;
  /** Bad commands of one session, then 421. Cannot be configured; default 20. */
  readonly maxErrors?: number;
}

export const defaultMaxErrors = 20;

/** Octets of a command line: RFC 5321 §4.5.3.1.4 asks for 512, extensions for more. */
export const maxLineLength = 2048;
