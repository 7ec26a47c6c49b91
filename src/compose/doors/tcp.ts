/** The `tcp` door from its section. */
import type { Config } from '../../config/schema.js';
import { createTcpEdge } from '../../edge/tcp-table/tcp-edge.js';
import { askingOptions, type BuiltEdge, type EdgeDeps } from './door.js';

export function buildTcp(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { tcp } = config.edges;
  return tcp && { edge: createTcpEdge(askingOptions(tcp, deps)) };
}
