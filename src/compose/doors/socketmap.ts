/** The `socketmap` door from its section. */
import type { Config } from '../../config/schema.js';
import { createSocketmapEdge } from '../../edge/socketmap/socketmap-edge.js';
import { askingOptions, type BuiltEdge, type EdgeDeps } from './door.js';

export function buildSocketmap(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { socketmap } = config.edges;
  return (
    socketmap && {
      edge: createSocketmapEdge({
        ...askingOptions(socketmap, deps),
        maxRequestBytes: socketmap.maxRequestBytes,
      }),
    }
  );
}
