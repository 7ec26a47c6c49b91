/** The `readsocket` door from its section. */
import type { Config } from '../../config/schema.js';
import { createReadsocketEdge } from '../../edge/readsocket/readsocket-edge.js';
import { askingOptions, type BuiltEdge, type EdgeDeps } from './door.js';

export function buildReadsocket(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { readsocket } = config.edges;
  return (
    readsocket && {
      edge: createReadsocketEdge({
        ...askingOptions(readsocket, deps),
        maxRequestBytes: readsocket.maxRequestBytes,
      }),
    }
  );
}
