/** The `milter` door from its section. */
import type { Config } from '../../config/schema.js';
import { createMilterEdge } from '../../edge/milter/milter-edge.js';
import { askingOptions, type BuiltEdge, type EdgeDeps } from './door.js';

export function buildMilter(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { milter } = config.edges;
  return milter && { edge: createMilterEdge(askingOptions(milter, deps)) };
}
