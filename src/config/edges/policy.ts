/** The `policy` door, as configured. */
import { strict, whole } from '../scalars.js';
import { drainTimeout, idleTimeout, listen, maxConnections, requestTimeout } from './common.js';

export const policyEdgeSchema = strict({
  listen,
  maxConnections: maxConnections(2000, 'Connections at a time; each Postfix smtpd process keeps one'),
  idleTimeout: idleTimeout(
    '1000s',
    'A connection without requests for so long is closed; longer than the 300 s after which Postfix does it',
  ),
  requestTimeout: requestTimeout('request'),
  maxRequestBytes: whole(1024, 1_048_576)
    .default(65_536)
    .describe(
      'Bytes of one request. Postfix sends about 1 KB; long addresses and certificates’ names a few more',
    ),
  drainTimeout,
});
