/** The `proxy` door, as configured. */
import { isIP } from 'node:net';
import { z } from 'zod';
import { nextHop } from '../next-hop.js';
import { duration, flag, oneOrMore, path, strict, text, word } from '../scalars.js';
import { drainTimeout, listen, maxConnections } from './common.js';
import { maxConnectionsPerClient, maxRecipients, maxRejected, tls } from './smtp-server.js';

const networkError = 'must be an IP address or a network such as "192.0.2.0/24" or "2001:db8::/32"';

function isNetwork(written: string): boolean {
  const [address = '', bits, ...more] = written.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

const network = z
  .string({ error: networkError })
  .refine(isNetwork, { error: networkError })
  .meta({ 'x-type': 'network' });

const nextHopTls = strict({
  mode: word(['off', 'opportunistic', 'required'])
    .default('opportunistic')
    .describe('STARTTLS to the next hop: never; when it is offered and works; or the next hop is not used'),
  verify: flag()
    .optional()
    .describe('Whether its certificate must be right; default: with `required` yes, otherwise no (RFC 7435)'),
  servername: text('a host name', 253)
    .optional()
    .describe('Name expected in its certificate; default: the host in `nextHops`'),
  ca: path('a certificate')
    .optional()
    .describe(
      'PEM file of the authorities that may have signed it; default: the public ones. Read at the start',
    ),
});

/**
 * A client waits five minutes for the reply to EHLO (RFC 5321 §4.5.3.2), and all next hops must have been tried by then, so
 * connecting and greeting have less than the five minutes of §4.5.3.2.1.
 */
const timeouts = strict({
  connect: duration('1s', '1m').prefault('10s').describe('For the TCP connection, and as long again for TLS'),
  greeting: duration('1s', '5m')
    .prefault('30s')
    .describe('For its greeting and its replies to EHLO and STARTTLS, then the next one is tried'),
  command: duration('1s', '10m')
    .prefault('5m')
    .describe('For its replies to MAIL, RCPT and RSET (RFC 5321 §4.5.3.2.2)'),
  data: duration('1s', '10m').prefault('2m').describe('For its reply to DATA (RFC 5321 §4.5.3.2.4)'),
  block: duration('1s', '10m')
    .prefault('3m')
    .describe('For it to take the next bytes of a message (RFC 5321 §4.5.3.2.5)'),
  final: duration('1s', '30m')
    .prefault('10m')
    .describe('For its reply to the final dot (RFC 5321 §4.5.3.2.6); shorter ones make mail arrive twice'),
});

export const proxyEdgeSchema = strict({
  listen,
  nextHops: oneOrMore(nextHop, 'host:port').describe(
    'Servers that the mail goes to, in this order: one that does not answer is passed over for `retryAfter`',
  ),
  hostname: text('a host name', 255)
    .optional()
    .describe('Name in the greeting, and in EHLO to the next hop; default: the host name of the machine'),
  tls,
  nextHopTls: nextHopTls.prefault({}),
  clientInfo: word(['none', 'xclient', 'xforward', 'proxy-v1', 'proxy-v2'])
    .default('none')
    .describe(
      'How the next hop learns who called: Postfix XCLIENT or XFORWARD, when it offers them to us, or the PROXY protocol, which it must then expect of us',
    ),
  trusted: z
    .array(network)
    .max(1000)
    .prefault(['127.0.0.0/8', '::1'])
    .describe(
      'Clients that may say by XFORWARD or XCLIENT on whose behalf they speak: addresses and networks',
    ),
  foreignDomains: word(['reject', 'pass'])
    .default('reject')
    .describe(
      'Recipients in domains that are not ours: refused with 550 5.7.1; or handed to the next hop unjudged, for a filter behind a mail server that has checked relaying already',
    ),
  retryAfter: duration('1s', '1h')
    .prefault('30s')
    .describe('A next hop that failed is passed over for so long; when all have failed, all are tried'),
  timeouts: timeouts.prefault({}),
  maxConnections: maxConnections(1000, 'Sessions at a time; each has a connection to a next hop'),
  maxConnectionsPerClient: maxConnectionsPerClient(),
  idleTimeout: duration('1s', '1h')
    .prefault('5m')
    .describe('For a client’s next command, or the next bytes of its message (RFC 5321 §4.5.3.2.7)'),
  sessionTimeout: duration('1m', '24h')
    .prefault('2h')
    .describe('A session lasts so long at most, be it in the midst of a message'),
  maxRecipients,
  maxRejected,
  drainTimeout,
});
