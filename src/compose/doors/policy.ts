/** The `policy` door from its section. */
import type { Config } from '../../config/schema.js';
import { createPolicyEdge } from '../../edge/postfix/policy-edge.js';
import type { BuiltEdge, EdgeDeps } from './door.js';

export function buildPolicy(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { policy } = config.edges;
  if (policy === undefined) return undefined;
  const edge = createPolicyEdge({
    ...deps,
    listen: policy.listen,
    maxConnections: policy.maxConnections,
    idleTimeoutMs: policy.idleTimeout,
    requestTimeoutMs: policy.requestTimeout,
    maxRequestBytes: policy.maxRequestBytes,
    drainTimeoutMs: policy.drainTimeout,
  });
  return { edge };
}
