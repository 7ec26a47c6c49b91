/** The `readsocket` door, as configured. */
import { strict, whole } from '../scalars.js';
import { drainTimeout, idleTimeout, listen, maxConnections, requestTimeout } from './common.js';

export const readsocketEdgeSchema = strict({
  listen,
  maxConnections: maxConnections(
    2000,
    'Connections at a time; Exim opens one for each question, or one a process with `cache=yes`',
  ),
  idleTimeout: idleTimeout('60s', 'A connection without a question for so long is closed'),
  requestTimeout: requestTimeout('line'),
  maxRequestBytes: whole(1024, 65_536)
    .default(4096)
    .describe('Bytes of one line: recipient, sender and client, with TABs between'),
  drainTimeout,
});
