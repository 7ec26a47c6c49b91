/** The `smtp` door, as configured. */
import { duration, strict, text, whole } from '../scalars.js';
import { drainTimeout, listen, tls } from './common.js';

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
  tls,
  drainTimeout,
});
