/** The `proxy` door from its section. */
import type { Config } from '../../config/schema.js';
import { createProxyEdge, type NextHopTlsOptions } from '../../edge/proxy/proxy-edge.js';
import { readPem, readTls, type BuiltEdge, type EdgeDeps } from './door.js';

export function buildProxy(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { proxy } = config.edges;
  if (proxy === undefined) return undefined;
  const tls = tlsOf(config);
  const edge = createProxyEdge({
    ...deps,
    listen: proxy.listen,
    nextHops: proxy.nextHops,
    nextHopTls: nextHopTlsOf(proxy.nextHopTls),
    clientInfo: proxy.clientInfo,
    trusted: proxy.trusted,
    foreignDomains: proxy.foreignDomains,
    retryAfterMs: proxy.retryAfter,
    timeouts: {
      connectMs: proxy.timeouts.connect,
      greetingMs: proxy.timeouts.greeting,
      commandMs: proxy.timeouts.command,
      dataMs: proxy.timeouts.data,
      blockMs: proxy.timeouts.block,
      finalMs: proxy.timeouts.final,
    },
    maxConnections: proxy.maxConnections,
    maxConnectionsPerClient: proxy.maxConnectionsPerClient,
    idleTimeoutMs: proxy.idleTimeout,
    sessionTimeoutMs: proxy.sessionTimeout,
    maxRecipients: proxy.maxRecipients,
    maxRejected: proxy.maxRejected,
    drainTimeoutMs: proxy.drainTimeout,
    ...(proxy.hostname !== undefined && { hostname: proxy.hostname }),
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

type NextHopTls = NonNullable<Config['edges']['proxy']>['nextHopTls'];

function nextHopTlsOf({ mode, verify, servername, ca }: NextHopTls): NextHopTlsOptions {
  return {
    mode,
    ...(verify !== undefined && { verify }),
    ...(servername !== undefined && { servername }),
    ...(ca !== undefined && { ca: readPem(ca, 'edges.proxy.nextHopTls.ca') }),
  };
}

function tlsOf(config: Config) {
  return readTls(config.edges.proxy?.tls, 'edges.proxy.tls');
}
