/** The `socketmap` door from its section. */
import type { Config } from '../../config/schema.js';
import { createSocketmapEdge } from '../../edge/socketmap/socketmap-edge.js';
import type { BuiltEdge, EdgeDeps } from './door.js';

export function buildSocketmap(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { socketmap } = config.edges;
  if (socketmap === undefined) return undefined;
  const edge = createSocketmapEdge({
    ...deps,
    listen: socketmap.listen,
    maxConnections: socketmap.maxConnections,
    idleTimeoutMs: socketmap.idleTimeout,
    requestTimeoutMs: socketmap.requestTimeout,
    maxRequestBytes: socketmap.maxRequestBytes,
    drainTimeoutMs: socketmap.drainTimeout,
  });
  return { edge };
}
