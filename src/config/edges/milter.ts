/** The `milter` door, as configured. */
import { strict } from '../scalars.js';
import { drainTimeout, idleTimeout, listen, maxConnections, requestTimeout } from './common.js';

export const milterEdgeSchema = strict({
  listen,
  maxConnections: maxConnections(
    2000,
    'Connections at a time; the mail server keeps one for each SMTP session',
  ),
  idleTimeout: idleTimeout(
    '7210s',
    'A connection silent for so long is closed. The mail server says nothing while a message goes by, however long that takes; 7210 s is the time of other milters',
  ),
  requestTimeout: requestTimeout('command'),
  drainTimeout,
});
