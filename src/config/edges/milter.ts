/** The `milter` door, as configured. */
import { duration, strict, whole } from '../scalars.js';
import { drainTimeout, listen } from './common.js';

export const milterEdgeSchema = strict({
  listen,
  maxConnections: whole(1, 100_000)
    .default(2000)
    .describe('Connections at a time; the mail server keeps one for each SMTP session'),
  idleTimeout: duration('1s', '24h')
    .prefault('7210s')
    .describe(
      'A connection silent for so long is closed. The mail server says nothing while a message goes by, however long that takes; 7210 s is the time of other milters',
    ),
  requestTimeout: duration('100ms', '10m')
    .prefault('10s')
    .describe('Once its first byte is there, a command must be whole within this time'),
  drainTimeout,
});
