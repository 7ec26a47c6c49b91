/** The `socketmap` door, as configured. */
import { strict, whole } from '../scalars.js';
import { drainTimeout, idleTimeout, listen, maxConnections, requestTimeout } from './common.js';

export const socketmapEdgeSchema = strict({
  listen,
  maxConnections: maxConnections(
    2000,
    'Connections at a time; each Postfix smtpd process keeps one for a map',
  ),
  idleTimeout: idleTimeout(
    '1000s',
    'A connection without requests for so long is closed; longer than the 10 s after which Postfix does it',
  ),
  requestTimeout: requestTimeout('request'),
  maxRequestBytes: whole(1024, 100_000)
    .default(100_000)
    .describe('Bytes of one request, then the connection is closed. Postfix asks with no more than 10,000'),
  drainTimeout,
});
