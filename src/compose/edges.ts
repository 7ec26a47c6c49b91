/**
 * From the configuration to the edges: which doors there are, each built in its own file of doors/.
 *
 * A door that is not configured is not even loaded: it would cost its part of the memory, and of the time to start.
 */
import type { EdgeName } from '../config/edges/edges.js';
import type { Config } from '../config/schema.js';
import { describeAddress } from '../edge/bind.js';
import type { BuildEdge, BuiltEdge, EdgeDeps } from './doors/door.js';
import type { Door } from './lifecycle.js';
import { optionsOf } from './reload.js';

const builders: Readonly<Record<EdgeName, () => Promise<BuildEdge>>> = {
  smtp: async () => (await import('./doors/smtp.js')).buildSmtp,
  policy: async () => (await import('./doors/policy.js')).buildPolicy,
  socketmap: async () => (await import('./doors/socketmap.js')).buildSocketmap,
  tcp: async () => (await import('./doors/tcp.js')).buildTcp,
  readsocket: async () => (await import('./doors/readsocket.js')).buildReadsocket,
  http: async () => (await import('./doors/http.js')).buildHttp,
  milter: async () => (await import('./doors/milter.js')).buildMilter,
  proxy: async () => (await import('./doors/proxy.js')).buildProxy,
};

const edgeNames = Object.keys(builders) as EdgeName[];

export interface Edges {
  /** Opens every door; where they are. Throws `config`, with all doors closed again. */
  listen(): Promise<readonly Door[]>;
  drain(): Promise<void>;
  /** Takes over what may change while sessions are open: certificates. Throws `config`. */
  reload(config: Config): void;
}

/** Throws `config`. */
export async function createEdges(config: Config, deps: EdgeDeps): Promise<Edges> {
  const names = edgeNames.filter((name) => config.edges[name] !== undefined);
  const builds = await Promise.all(names.map((name) => builders[name]()));
  const built = builds
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
