/** The `http` door from its section. */
import type { Config } from '../../config/schema.js';
import { createHttpEdge } from '../../edge/http/http-edge.js';
import { askingOptions, type BuiltEdge, type EdgeDeps } from './door.js';

export function buildHttp(config: Config, deps: EdgeDeps): BuiltEdge | undefined {
  const { http } = config.edges;
  return http && { edge: createHttpEdge(askingOptions(http, deps)) };
}
