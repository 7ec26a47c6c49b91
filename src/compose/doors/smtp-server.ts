/** What the doors that speak SMTP have in common: limits, and STARTTLS whose certificate may be renewed. */
import type { EdgeConfig } from '../../config/edges/edges.js';
import type { Config } from '../../config/schema.js';
import type { SmtpServerOptions, TlsMaterial } from '../../edge/edge-options.js';
import type { Edge } from '../../edge/listener.js';
import { edgeOptions, readPem, type BuiltEdge, type EdgeDeps } from './door.js';

type Name = 'smtp' | 'proxy';

/** Reads the certificate: throws `config`. */
export function smtpServerOptions(name: Name, section: EdgeConfig<Name>, deps: EdgeDeps): SmtpServerOptions {
  return {
    ...edgeOptions(section, deps),
    hostname: section.hostname,
    tls: readTls(name, section),
    maxConnectionsPerClient: section.maxConnectionsPerClient,
    maxRecipients: section.maxRecipients,
    maxRejected: section.maxRejected,
  };
}

/** `edge` with the certificate of its section, read anew at each reload. STARTTLS itself comes and goes at a start only. */
export function withTls(
  name: Name,
  { tls }: EdgeConfig<Name>,
  edge: Edge & { setTls(tls: TlsMaterial): void },
): BuiltEdge {
  return {
    edge,
    reload(next: Config) {
      const section = next.edges[name];
      const fresh = section && readTls(name, section);
      if (fresh !== undefined && tls !== undefined) edge.setTls(fresh);
    },
  };
}

function readTls(name: Name, { tls }: EdgeConfig<Name>): TlsMaterial | undefined {
  if (tls === undefined) return undefined;
  const where = `edges.${name}.tls`;
  return { cert: readPem(tls.cert, `${where}.cert`), key: readPem(tls.key, `${where}.key`) };
}
