/** The `policy` door, as configured. */
import { duration, strict, whole } from '../scalars.js';
import { drainTimeout, listen } from './common.js';

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
