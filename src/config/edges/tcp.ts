/** The `tcp` door, as configured. A line has at most 4,096 bytes, by the protocol. */
import { duration, strict, whole } from '../scalars.js';
import { drainTimeout, listen } from './common.js';

export const tcpEdgeSchema = strict({
  listen,
  maxConnections: whole(1, 100_000)
    .default(2000)
    .describe('Connections at a time; each Postfix smtpd process keeps one for a map'),
  idleTimeout: duration('1s', '24h')
    .prefault('1000s')
    .describe('A connection without requests for so long is closed; Postfix itself never does it'),
  requestTimeout: duration('100ms', '10m')
    .prefault('10s')
    .describe('Once its first byte is there, a request must be whole within this time'),
  drainTimeout,
});
