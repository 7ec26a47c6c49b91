/** The `http` door from its section. */
import type { Config } from '../../config/schema.js';
import { createHttpEdge } from '../../edge/http/http-edge.js';
import type { BuiltEdge, EdgeDeps } from './door.js';

export function buildHttp(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { http } = config.edges;
  if (http === undefined) return undefined;
  const edge = createHttpEdge({
    ...deps,
    listen: http.listen,
    maxConnections: http.maxConnections,
    idleTimeoutMs: http.idleTimeout,
    requestTimeoutMs: http.requestTimeout,
    drainTimeoutMs: http.drainTimeout,
  });
  return { edge };
}
