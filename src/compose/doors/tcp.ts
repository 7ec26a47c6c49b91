/** The `tcp` door from its section. */
import type { Config } from '../../config/schema.js';
import { createTcpEdge } from '../../edge/tcp-table/tcp-edge.js';
import type { BuiltEdge, EdgeDeps } from './door.js';

export function buildTcp(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { tcp } = config.edges;
  if (tcp === undefined) return undefined;
  const edge = createTcpEdge({
    ...deps,
    listen: tcp.listen,
    maxConnections: tcp.maxConnections,
    idleTimeoutMs: tcp.idleTimeout,
    requestTimeoutMs: tcp.requestTimeout,
    drainTimeoutMs: tcp.drainTimeout,
  });
  return { edge };
}
