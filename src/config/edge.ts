/**
 * The doors to mail servers, as configured: addresses to listen on and the bound of everything a client can take.
 */
import type { z } from 'zod';
import { duration, listenAddress, oneOrMore, path, strict, text, whole } from './scalars.js';

const listen = oneOrMore(listenAddress, 'listen address').describe(
  'Where to listen: `127.0.0.1:2525`, `[::1]:2525`, `unix:/run/rollcall/x.sock`; port 0 takes a free one',
);

const drainTimeout = duration('0s', '10m')
  .prefault('10s')
  .describe('At a stop, how long sessions under way may finish before they are cut');

export const smtpEdgeSchema = strict({
  listen,
  hostname: text('a host name', 255)
    .optional()
    .describe('Name in the greeting; default: the host name of the machine'),
  greetingDelay: duration('0s', '30s')
    .prefault('0s')
    .describe('Wait before the greeting. 0: the client is your own MTA, which never talks early'),
  maxConnections: whole(1, 100_000).default(1000).describe('Sessions at a time; about 12 KB of memory each'),
  maxConnectionsPerClient: whole(0, 100_000)
    .default(0)
    .describe(
      'Sessions at a time of one IP address; 0 is no limit but `maxConnections`, as one MTA is the usual client',
    ),
  idleTimeout: duration('1s', '1h')
    .prefault('60s')
    .describe('A session silent for so long is closed: the client is an MTA, not a person typing'),
  maxRecipients: whole(100, 100_000)
    .default(1000)
    .describe('Recipients of one transaction, then 452 4.5.3. RFC 5321 §4.5.3.1.8 asks for at least 100'),
  maxRejected: whole(1, 1_000_000)
    .default(100)
    .describe('Unknown recipients in one session, then 421: nobody should read out the directory'),
  tls: strict({
    cert: path('a certificate').describe('PEM file of the certificate and its chain'),
    key: path('a private key').describe('PEM file of its private key'),
  })
    .optional()
    .describe('Offers STARTTLS; without it there is none'),
  drainTimeout,
});

export const policyEdgeSchema = strict({
  listen,
  maxConnections: whole(1, 100_000)
    .default(2000)
    .describe('Connections at a time; each Postfix smtpd process keeps one'),
  idleTimeout: duration('1s', '24h')
    .prefault('1000s')
    .describe(
      'A connection without requests for so long is closed; longer than the 300 s after which Postfix does it',
    ),
  requestTimeout: duration('100ms', '10m')
    .prefault('10s')
    .describe('Once its first byte is there, a request must be whole within this time'),
  maxRequestBytes: whole(1024, 1_048_576)
    .default(65_536)
    .describe(
      'Bytes of one request. Postfix sends about 1 KB; long addresses and certificates’ names a few more',
    ),
  drainTimeout,
});

export const edgesSchema = strict({
  smtp: smtpEdgeSchema.optional().describe('SMTP call-ahead target: answers RCPT TO, never takes a message'),
  policy: policyEdgeSchema.optional().describe('Postfix access policy delegation (SMTPD_POLICY_README)'),
});

export type SmtpEdgeConfig = z.output<typeof smtpEdgeSchema>;
export type PolicyEdgeConfig = z.output<typeof policyEdgeSchema>;
