/** The `http` door, as configured. */
import { duration, strict, whole } from '../scalars.js';
import { drainTimeout, listen } from './common.js';

export const httpEdgeSchema = strict({
  listen,
  maxConnections: whole(1, 100_000)
    .default(512)
    .describe('Connections at a time; a client over it is closed without an answer'),
  idleTimeout: duration('1s', '24h')
    .prefault('60s')
    .describe('A connection kept alive without requests for so long is closed'),
  requestTimeout: duration('100ms', '10m')
    .prefault('10s')
    .describe('Once its first byte is there, a request must be whole within this time'),
  drainTimeout,
});
