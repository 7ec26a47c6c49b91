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
import { defaultMaxErrors, type SmtpServerOptions, type TlsMaterial } from '../edge-options.js';
import { createListener, type Edge } from '../listener.js';
import type { HopTimeouts, NextHopTls } from './hop.js';
import type { ClientInfoMode } from './link.js';
import type { NextHop } from './next-hop.js';
import { createNextHops } from './next-hops.js';
import { proxyReplies } from './replies.js';
import { openProxySession, type ProxySessionOptions } from './session.js';

export interface NextHopTlsOptions {
  readonly mode: NextHopTls['mode'];
  /** PEM; default: the authorities that Node knows. */
  readonly ca?: string | undefined;
  /** Expected in the certificate; default: the host of the next hop. */
  readonly servername?: string | undefined;
  /** Default: with `required`. */
  readonly verify?: boolean | undefined;
}

export interface ProxyEdgeOptions extends SmtpServerOptions {
  /** In the order in which they are tried; at least one. */
  readonly nextHops: readonly NextHop[];
  readonly nextHopTls: NextHopTlsOptions;
  /** How the next hop learns who called. */
  readonly clientInfo: ClientInfoMode;
  /** Addresses and networks (`192.0.2.0/24`) of clients that may say on whose behalf they speak. */
  readonly trusted: readonly string[];
  /** `pass` hands recipients in them to the next hop unjudged. */
  readonly foreignDomains: 'reject' | 'pass';
  /** A next hop that failed is passed over for so long. */
  readonly retryAfterMs: number;
  readonly timeouts: HopTimeouts;
  readonly sessionTimeoutMs: number;
}

export interface ProxyEdge extends Edge {
  /** For sessions from now on; throws when the two do not fit together. */
  setTls(tls: TlsMaterial): void;
}

export function createProxyEdge(options: ProxyEdgeOptions): ProxyEdge {
  let context = options.tls === undefined ? undefined : contextOf(options.tls);
  const session = sessionOptions(options, () => context);
  const listener = createListener({
    ...options,
    name: 'proxy',
    busyReply: `${proxyReplies.busy}\r\n`,
    onConnection: (socket, closed, address) => openProxySession(socket, session, closed, 'path' in address),
  });
  return { ...listener, setTls: (tls) => void (context = contextOf(tls)) };
}

function sessionOptions(
  options: ProxyEdgeOptions,
  secureContext: () => SecureContext | undefined,
): ProxySessionOptions {
  const { hostname: name = hostname(), maxErrors = defaultMaxErrors } = options;
  return {
    ...options,
    name,
    nextHops: createNextHops({
      nextHops: options.nextHops,
      retryAfterMs: options.retryAfterMs,
      log: options.log,
      now: () => performance.now(),
      name,
      timeouts: options.timeouts,
      tls: nextHopTls(options.nextHopTls),
      needsXclient: options.clientInfo === 'xclient',
    }),
    offersTls: options.tls !== undefined,
    secureContext,
    isTrusted: trustedClients(options.trusted),
    maxErrors,
  };
}

function nextHopTls({ mode, ca, servername, verify }: NextHopTlsOptions): NextHopTls {
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
