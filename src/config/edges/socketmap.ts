/** The `socketmap` door, as configured. */
import { duration, strict, whole } from '../scalars.js';
import { drainTimeout, listen } from './common.js';

export const socketmapEdgeSchema = strict({
  listen,
  maxConnections: whole(1, 100_000)
    .default(2000)
    .describe('Connections at a time; each Postfix smtpd process keeps one for a map'),
  idleTimeout: duration('1s', '24h')
    .prefault('1000s')
    .describe(
      'A connection without requests for so long is closed; longer than the 10 s after which Postfix does it',
    ),
  requestTimeout: duration('100ms', '10m')
    .prefault('10s')
    .describe('Once its first byte is there, a request must be whole within this time'),
  maxRequestBytes: whole(1024, 100_000)
    .default(100_000)
    .describe('Bytes of one request, then the connection is closed. Postfix asks with no more than 10,000'),
  drainTimeout,
});
