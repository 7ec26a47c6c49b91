/** The `tcp` door, as configured. A line has at most 4,096 bytes, by the protocol. */
import { strict } from '../scalars.js';
import { drainTimeout, idleTimeout, listen, maxConnections, requestTimeout } from './common.js';

export const tcpEdgeSchema = strict({
  listen,
  maxConnections: maxConnections(
    2000,
    'Connections at a time; each Postfix smtpd process keeps one for a map',
  ),
  idleTimeout: idleTimeout(
    '1000s',
    'A connection without requests for so long is closed; Postfix itself never does it',
  ),
  requestTimeout: requestTimeout('request'),
  drainTimeout,
});
