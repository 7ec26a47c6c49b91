/** The `policy` door from its section. */
import type { Config } from '../../config/schema.js';
import { createPolicyEdge } from '../../edge/postfix/policy-edge.js';
import { askingOptions, type BuiltEdge, type EdgeDeps } from './door.js';

export function buildPolicy(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { policy } = config.edges;
  return (
    policy && {
      edge: createPolicyEdge({ ...askingOptions(policy, deps), maxRequestBytes: policy.maxRequestBytes }),
    }
  );
}
