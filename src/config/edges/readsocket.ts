/** The `readsocket` door, as configured. */
import { duration, strict, whole } from '../scalars.js';
import { drainTimeout, listen } from './common.js';

export const readsocketEdgeSchema = strict({
  listen,
  maxConnections: whole(1, 100_000)
    .default(2000)
    .describe('Connections at a time; Exim opens one for each question, or one a process with `cache=yes`'),
  idleTimeout: duration('1s', '24h')
    .prefault('60s')
    .describe('A connection without a question for so long is closed'),
  requestTimeout: duration('100ms', '10m')
    .prefault('10s')
    .describe('Once its first byte is there, a line must be whole within this time'),
  maxRequestBytes: whole(1024, 65_536)
    .default(4096)
    .describe('Bytes of one line: recipient, sender and client, with TABs between'),
  drainTimeout,
});
