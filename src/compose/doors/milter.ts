/** The `milter` door from its section. */
import type { Config } from '../../config/schema.js';
import { createMilterEdge } from '../../edge/milter/milter-edge.js';
import type { BuiltEdge, EdgeDeps } from './door.js';

export function buildMilter(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { milter } = config.edges;
  if (milter === undefined) return undefined;
  const edge = createMilterEdge({
    ...deps,
    listen: milter.listen,
    maxConnections: milter.maxConnections,
    idleTimeoutMs: milter.idleTimeout,
    requestTimeoutMs: milter.requestTimeout,
    drainTimeoutMs: milter.drainTimeout,
  });
  return { edge };
}
