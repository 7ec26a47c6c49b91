/** The `smtp` door from its section. */
import type { Config } from '../../config/schema.js';
import { createSmtpEdge } from '../../edge/smtp/smtp-edge.js';
import { readTls, type BuiltEdge, type EdgeDeps } from './door.js';

export function buildSmtp(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { smtp } = config.edges;
  if (smtp === undefined) return undefined;
  const tls = tlsOf(config);
  const edge = createSmtpEdge({
    ...deps,
    listen: smtp.listen,
    greetingDelayMs: smtp.greetingDelay,
    maxConnections: smtp.maxConnections,
    maxConnectionsPerClient: smtp.maxConnectionsPerClient,
    idleTimeoutMs: smtp.idleTimeout,
    maxRecipients: smtp.maxRecipients,
    maxRejected: smtp.maxRejected,
    drainTimeoutMs: smtp.drainTimeout,
    ...(smtp.hostname !== undefined && { hostname: smtp.hostname }),
    ...(tls !== undefined && { tls }),
  });
  return {
    edge,
    reload(next) {
      const fresh = tlsOf(next);
      if (fresh !== undefined && tls !== undefined) edge.setTls(fresh);
    },
  };
}

function tlsOf(config: Config) {
  return readTls(config.edges.smtp?.tls, 'edges.smtp.tls');
}
