/** From the configuration to the edges: which doors there are, each built in its own file of doors/. */
import type { EdgeName } from '../config/edges/edges.js';
import type { Config } from '../config/schema.js';
import { describeAddress } from '../edge/bind.js';
import type { BuildEdge, BuiltEdge, EdgeDeps } from './doors/door.js';
import { buildHttp } from './doors/http.js';
import { buildMilter } from './doors/milter.js';
import { buildPolicy } from './doors/policy.js';
import { buildProxy } from './doors/proxy.js';
import { buildReadsocket } from './doors/readsocket.js';
import { buildSmtp } from './doors/smtp.js';
import { buildSocketmap } from './doors/socketmap.js';
import { buildTcp } from './doors/tcp.js';
import type { Door } from './lifecycle.js';
import { optionsOf } from './reload.js';

const builders: Readonly<Record<EdgeName, BuildEdge>> = {
  smtp: buildSmtp,
  policy: buildPolicy,
  socketmap: buildSocketmap,
  tcp: buildTcp,
  readsocket: buildReadsocket,
  http: buildHttp,
  milter: buildMilter,
  proxy: buildProxy,
};

export interface Edges {
  /** Opens every door; where they are. Throws `config`, with all doors closed again. */
  listen(): Promise<readonly Door[]>;
  drain(): Promise<void>;
  /** Takes over what may change while sessions are open: certificates. Throws `config`. */
  reload(config: Config): void;
}

export function createEdges(config: Config, deps: EdgeDeps): Edges {
  const built = Object.values(builders)
    .map((build) => build(config, deps))
    .filter((one): one is BuiltEdge => one !== undefined);
  const drain = async (): Promise<void> => {
    await Promise.all(built.map(({ edge }) => edge.drain()));
  };
  return {
    drain,
    async listen() {
      const doors: Door[] = [];
      try {
        for (const { edge } of built) {
          const bound = await edge.listen();
          doors.push(...bound.map((address) => ({ name: edge.name, address: describeAddress(address) })));
        }
        return doors;
      } catch (error) {
        await drain();
        throw error;
      }
    },
    reload(next) {
      for (const one of built) one.reload?.(next);
    },
  };
}

/** What of the edges is fixed while the process runs: all but the contents of certificates. */
export function fixedEdgeOptions(config: Config): Record<string, unknown> {
  const sections = Object.entries(config.edges).map(([name, section]) => {
    const { tls, ...rest } = section as { tls?: unknown };
    return { ...optionsOf(`edges.${name}`, rest), [`edges.${name}.tls`]: tls !== undefined };
  });
  return Object.assign({}, ...sections) as Record<string, unknown>;
}
