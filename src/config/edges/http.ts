/** The `http` door, as configured. */
import { strict } from '../scalars.js';
import { drainTimeout, idleTimeout, listen, maxConnections, requestTimeout } from './common.js';

export const httpEdgeSchema = strict({
  listen,
  maxConnections: maxConnections(512, 'Connections at a time; a client over it is closed without an answer'),
  idleTimeout: idleTimeout('60s', 'A connection kept alive without requests for so long is closed'),
  requestTimeout: requestTimeout('request'),
  drainTimeout,
});
