/** The `smtp` door, as configured. */
import { duration, strict, text } from '../scalars.js';
import { drainTimeout, listen, maxConnections } from './common.js';
import { maxConnectionsPerClient, maxRecipients, maxRejected, tls } from './smtp-server.js';

export const smtpEdgeSchema = strict({
  listen,
  hostname: text('a host name', 255)
    .optional()
    .describe('Name in the greeting; default: the host name of the machine'),
  greetingDelay: duration('0s', '30s')
    .prefault('0s')
    .describe('Wait before the greeting. 0: the client is your own MTA, which never talks early'),
  maxConnections: maxConnections(1000, 'Sessions at a time; about 12 KB of memory each'),
  maxConnectionsPerClient: maxConnectionsPerClient(', as one MTA is the usual client'),
  idleTimeout: duration('1s', '1h')
    .prefault('60s')
    .describe('A session silent for so long is closed: the client is an MTA, not a person typing'),
  maxRecipients,
  maxRejected,
  tls,
  drainTimeout,
});
