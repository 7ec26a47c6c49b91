/**
 * The proxy edge: an SMTP server in front of one that cannot ask. Recipients pass the verdict first and then the next hop's own
 * answer; the message streams through, and the next hop's reply to it is the client's.
 *
 * Promises to have no queue and never to take responsibility: nothing is answered for a message but what the next hop
 * answered. An open relay it is never, as domains that are not ours are refused here, unless it is told that somebody before it
 * has done so.
 */
import { BlockList, isIP } from 'node:net';
import { hostname } from 'node:os';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Confirm, Decide, Witness } from '../../policy/verdict.js';
import type { Logger } from '../../telemetry/log.js';
import { createMailLog, type MailLog } from '../../telemetry/mail-log.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { ListenAddress } from '../bind.js';
import { createListener, type Edge } from '../listener.js';
import type { TlsMaterial } from '../smtp/smtp-edge.js';
import type { HopTimeouts, NextHopTls } from './hop.js';
import type { ClientInfoMode } from './link.js';
import type { NextHop } from './next-hop.js';
import { createNextHops } from './next-hops.js';
import { proxyReplies } from './replies.js';
import { openProxySession, type ProxySessionOptions } from './session.js';

export interface NextHopTlsOptions {
  /** Default `opportunistic`. */
  readonly mode?: NextHopTls['mode'];
  /** PEM; default: the authorities that Node knows. */
  readonly ca?: string;
  /** Expected in the certificate; default: the host of the next hop. */
  readonly servername?: string;
  /** Default: with `required`. */
  readonly verify?: boolean;
}

export interface ProxyEdgeOptions {
  readonly listen: readonly ListenAddress[];
  /** In the order in which they are tried; at least one. */
  readonly nextHops: readonly NextHop[];
  readonly decide: Decide;
  readonly confirm?: Confirm | undefined;
  readonly witness: Witness;
  readonly log: Logger;
  readonly mailLog?: MailLog;
  readonly metrics?: Metrics;
  /** In the greeting, and in EHLO to the next hop; default: the name of the machine. */
  readonly hostname?: string;
  /** Offers STARTTLS; without it there is none. */
  readonly tls?: TlsMaterial;
  readonly nextHopTls?: NextHopTlsOptions;
  /** How the next hop learns who called; default `none`. */
  readonly clientInfo?: ClientInfoMode;
  /** Addresses and networks (`192.0.2.0/24`) of clients that may say on whose behalf they speak; default: this machine. */
  readonly trusted?: readonly string[];
  /** `pass` hands recipients in them to the next hop unjudged; default `reject`. */
  readonly foreignDomains?: 'reject' | 'pass';
  /** A next hop that failed is passed over for so long; default 30 s. */
  readonly retryAfterMs?: number;
  readonly timeouts?: Partial<HopTimeouts>;
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
  /** Octets of a command line; default 2,048. */
  readonly maxLineLength?: number;
  /** For a client's next command, or the next bytes of its message; default 5 minutes (RFC 5321 §4.5.3.2.7). */
  readonly idleTimeoutMs?: number;
  /** Default 2 hours. */
  readonly sessionTimeoutMs?: number;
  /** Default 10 s. */
  readonly drainTimeoutMs?: number;
}

export interface ProxyEdge extends Edge {
  /** For sessions from now on; throws when the two do not fit together. */
  setTls(tls: TlsMaterial): void;
}

/**
 * RFC 5321 §4.5.3.2. A client waits five minutes for the reply to EHLO, and all next hops must have been tried by then, so
 * connecting and greeting have less than the five minutes of §4.5.3.2.1.
 */
const standardTimeouts: HopTimeouts = {
  connectMs: 10_000,
  greetingMs: 30_000,
  commandMs: 300_000,
  dataMs: 120_000,
  blockMs: 180_000,
  finalMs: 600_000,
};

export function createProxyEdge(options: ProxyEdgeOptions): ProxyEdge {
  let context = options.tls === undefined ? undefined : contextOf(options.tls);
  const session = sessionOptions(options, () => context);
  const listener = createListener({
    name: 'proxy',
    listen: options.listen,
    maxConnections: options.maxConnections ?? 1000,
    maxConnectionsPerClient: options.maxConnectionsPerClient ?? 0,
    drainTimeoutMs: options.drainTimeoutMs ?? 10_000,
    busyReply: `${proxyReplies.busy}\r\n`,
    log: options.log,
    mailLog: session.mailLog,
    ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
    onConnection: (socket, closed, address) => openProxySession(socket, session, closed, 'path' in address),
  });
  return { name: 'proxy', ...listener, setTls: (tls) => void (context = contextOf(tls)) };
}

function sessionOptions(
  options: ProxyEdgeOptions,
  secureContext: () => SecureContext | undefined,
): ProxySessionOptions {
  const name = options.hostname ?? hostname();
  const timeouts = { ...standardTimeouts, ...options.timeouts };
  return {
    decide: options.decide,
    confirm: options.confirm,
    witness: options.witness,
    log: options.log,
    mailLog: options.mailLog ?? createMailLog(options.log),
    name,
    timeouts,
    nextHops: createNextHops({
      nextHops: options.nextHops,
      retryAfterMs: options.retryAfterMs ?? 30_000,
      log: options.log,
      now: () => performance.now(),
      name,
      timeouts,
      tls: nextHopTls(options.nextHopTls ?? {}),
      needsXclient: options.clientInfo === 'xclient',
    }),
    clientInfo: options.clientInfo ?? 'none',
    offersTls: options.tls !== undefined,
    secureContext,
    isTrusted: trustedClients(options.trusted ?? ['127.0.0.0/8', '::1']),
    foreignDomains: options.foreignDomains ?? 'reject',
    maxRecipients: options.maxRecipients ?? 1000,
    maxRejected: options.maxRejected ?? 100,
    maxErrors: options.maxErrors ?? 20,
    maxLineLength: options.maxLineLength ?? 2048,
    idleTimeoutMs: options.idleTimeoutMs ?? 300_000,
    sessionTimeoutMs: options.sessionTimeoutMs ?? 7_200_000,
  };
}

function nextHopTls({ mode = 'opportunistic', ca, servername, verify }: NextHopTlsOptions): NextHopTls {
  return {
    mode,
    verify: verify ?? mode === 'required',
    servername,
    context: createSecureContext({ minVersion: 'TLSv1.2', ...(ca !== undefined && { ca }) }),
  };
}

function contextOf(tls: TlsMaterial): SecureContext {
  return createSecureContext({ ...tls, minVersion: 'TLSv1.2' });
}

/** By its address; `local` for a client on a unix socket, which is of this machine, and trusted when the loopback network is. */
export function trustedClients(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (client) => {
    const address = client === 'local' ? '127.0.0.1' : client;
    // one that was gone before it could be asked for its address is nobody
    return address !== undefined && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  };
}
