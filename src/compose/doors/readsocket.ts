/** The `readsocket` door from its section. */
import type { Config } from '../../config/schema.js';
import { createReadsocketEdge } from '../../edge/readsocket/readsocket-edge.js';
import type { BuiltEdge, EdgeDeps } from './door.js';

export function buildReadsocket(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { readsocket } = config.edges;
  if (readsocket === undefined) return undefined;
  const edge = createReadsocketEdge({
    ...deps,
    listen: readsocket.listen,
    maxConnections: readsocket.maxConnections,
    idleTimeoutMs: readsocket.idleTimeout,
    requestTimeoutMs: readsocket.requestTimeout,
    maxRequestBytes: readsocket.maxRequestBytes,
    drainTimeoutMs: readsocket.drainTimeout,
  });
  return { edge };
}
