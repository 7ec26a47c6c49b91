/**
 * The mail log: one typed function per event, each with a fixed message and named fields, so that what a mail
 * administrator greps for never changes by accident.
 *
 * Promises that client-given text is data, never format (it is JSON-escaped). With `addresses: false` it writes the
 * domain of a recipient and no sender. Accepts are logged at `debug`, as a busy edge gives thousands a second.
 */
import type { Logger } from './log.js';

export interface VerdictEvent {
  readonly edge: string;
  readonly recipient: string;
  readonly action: string;
  readonly reason: string;
  readonly code: number;
  readonly status: string;
  readonly sender?: string | undefined;
  readonly client?: string | undefined;
  readonly domain?: string | undefined;
  readonly tenant?: string | undefined;
  readonly reference?: string | undefined;
  /** In mode `observe`: accepted, though the list says this reason. */
  readonly observed?: string | undefined;
}

export interface MailLogOptions {
  /** Whether addresses are written; default true. */
  readonly addresses?: boolean;
}

export interface MailLog {
  verdict(event: VerdictEvent): void;
  /** Over a limit: the client got the protocol's busy answer, if it has one. */
  connectionRefused(edge: string, client: string | undefined, why: string): void;
  /** Something that is not the protocol; the connection was closed. */
  protocolError(edge: string, client: string | undefined, why: string): void;
  /** A limit of one session was hit: recipients refused, bad commands, time. */
  sessionCut(edge: string, client: string | undefined, why: string): void;
  listening(edge: string, address: string): void;
  drained(edge: string, cut: number): void;
}

/** Writes every event to `log`. */
export function createMailLog(log: Logger, options: MailLogOptions = {}): MailLog {
  const addresses = options.addresses ?? true;
  return {
    verdict(event) {
      const quiet = event.action === 'accept' && event.observed === undefined;
      if (quiet && !log.isLevelEnabled('debug')) return;
      const fields = addresses ? event : withoutAddresses(event);
      if (quiet) log.debug(fields, 'verdict');
      else log.info(fields, 'verdict');
    },
    connectionRefused: (edge, client, why) => log.warn({ edge, client, why }, 'connection refused'),
    protocolError: (edge, client, why) => log.warn({ edge, client, why }, 'protocol error'),
    sessionCut: (edge, client, why) => log.info({ edge, client, why }, 'session cut'),
    listening: (edge, address) => log.info({ edge, address }, 'listening'),
    drained: (edge, cut) => log.info({ edge, cut }, 'drained'),
  };
}

function withoutAddresses(event: VerdictEvent): VerdictEvent {
  return { ...event, recipient: domainOnly(event.recipient), sender: undefined };
}

function domainOnly(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1 || address.length);
}
